//! Expressions that name something which is there already.

use syn::{Expr, UnOp};

/// Whether an expression names a place: as an initialiser, it is borrowed or matched in part.
pub(crate) fn is_place(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)),
        _ => false,
    }
}

/// The expression without what only groups it.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => bare(&inner.expr),
        Expr::Group(inner) => bare(&inner.expr),
        _ => expr,
    }
}
