//! Spans inside a body: `#[span]` on blocks, `let` initialisers and expressions.
//!
//! Control flow stays as it is written: the span is a variable whose scope is the block. Where the
//! value of a block can be seen, the span ends by it; a block that is left early waits for the
//! outcome of its frame, the function, closure or `async` block round it.

mod frame;
mod value_use;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{
    Attribute, Block, Expr, ExprBlock, ExprMacro, Ident, Local, Pat, Path, Stmt, Type, parse_quote,
};

use crate::diagnostics::{Errors, given_twice};
use crate::span::{self, Span};
use crate::syntax::{
    arguments, block_inside, conditional, has_span, hidden, is_place, mentions, take_attributes,
    value,
};
use frame::Frame;
use value_use::{
    ValueUse, diverges, ends_in_call, has_call, is_generic, is_left_by_break, may_fail, may_leave,
    tried, unextended, value_use,
};

/// What was found in a body.
#[derive(Default)]
pub(crate) struct Found {
    /// Whether there are spans in it, not counting those in closures and `async` blocks.
    pub(crate) blocks: bool,
    /// Whether one of them ends by the value of the body.
    pub(crate) ends_by_value: bool,
    /// The path that the attribute was written with.
    pub(crate) attribute: Option<Path>,
}

/// Makes spans of what has the attribute in the body of a function. `typed` tells whether the type
/// of the body's value is written down.
pub(crate) fn expand(body: &mut Group, typed: bool, runtime: &Path, errors: &mut Errors) -> Found {
    if !has_span(body.stream()) {
        return Found::default();
    }
    let Some(mut block) = errors.ok(syn::parse2::<Block>(body.to_token_stream())) else {
        return Found::default();
    };
    let mut expansion = Expansion {
        runtime,
        errors,
        frame: Frame { typed, ..Frame::default() },
        tail: false,
        unended: 0,
        attribute: None,
    };
    expansion.block(&mut block, typed);
    let Expansion { frame, attribute, .. } = expansion;
    if let Some(TokenTree::Group(group)) = block.to_token_stream().into_iter().next() {
        *body = group;
    }
    Found { blocks: frame.blocks > 0, ends_by_value: frame.ends_by_value, attribute }
}

struct Expansion<'a> {
    runtime: &'a Path,
    errors: &'a mut Errors,
    frame: Frame,
    /// Whether the value of the next expression is that of the frame.
    tail: bool,
    /// How many spans so far may be left by a `break` or `continue`.
    unended: usize,
    attribute: Option<Path>,
}

/// What is known of an expression from outside of it.
struct Position<'a> {
    value_use: ValueUse,
    /// The type that is written for its value.
    ty: Option<&'a Type>,
    place: StatementPlace,
}

#[derive(Clone, Copy, PartialEq)]
enum StatementPlace {
    /// Part of another expression.
    Nested,
    /// A statement, or a `let`'s initialiser, with other statements after it.
    Followed,
    /// The last statement of its block.
    Last,
    /// The value of its block. Up to edition 2021 its temporaries are dropped after the variables of the block.
    Tail,
}

impl VisitMut for Expansion<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block, false);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let attribute = attributes(expr).and_then(|written| self.take(written));
        let value_use = if self.tail { ValueUse::Frame } else { unextended(expr) };
        self.expression(
            expr,
            attribute,
            &Position { value_use, ty: None, place: StatementPlace::Nested },
        );
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {
        // Functions inside of functions have attributes of their own.
    }
}

impl Expansion<'_> {
    fn block(&mut self, block: &mut Block, tail: bool) {
        let count = block.stmts.len();
        for (index, mut statement) in std::mem::take(&mut block.stmts).into_iter().enumerate() {
            let last = index + 1 == count;
            let unended = self.unended;
            self.statement(&mut statement, last, tail);
            block.stmts.push(statement);
            if self.unended > unended && !last {
                block.stmts.push(self.end_exited());
            }
        }
    }

    fn statement(&mut self, statement: &mut Stmt, last: bool, tail: bool) {
        if let Stmt::Macro(call) = statement {
            if has_span(call.to_token_stream()) {
                let attrs = std::mem::take(&mut call.attrs);
                let expr = Expr::Macro(ExprMacro { attrs, mac: call.mac.clone() });
                *statement = Stmt::Expr(expr, call.semi_token);
            } else {
                self.call(&call.mac);
            }
        }
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Expr(expr, semi) => {
                let attribute = leftmost(expr).and_then(|written| self.take(written));
                // What else is written on the statement stays on it.
                let others = attribute.as_ref().and_then(|_| leftmost(expr)).map(std::mem::take);
                self.tail = tail && last && semi.is_none();
                let value_use = match (self.tail, last, &semi) {
                    (true, ..) => ValueUse::Frame,
                    (false, false, None) => ValueUse::Nothing,
                    _ => unextended(expr),
                };
                let place = match (last, &semi) {
                    (false, _) => StatementPlace::Followed,
                    (true, Some(_)) => StatementPlace::Last,
                    (true, None) => StatementPlace::Tail,
                };
                self.expression(expr, attribute, &Position { value_use, ty: None, place });
                if let Some(others) = others.filter(|others| !others.is_empty()) {
                    *expr = Expr::Verbatim(quote!(#(#others)* #expr));
                }
            }
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    fn local(&mut self, local: &mut Local) {
        let attribute = self.take(&mut local.attrs);
        let Some(init) = &mut local.init else {
            if let Some(attribute) = attribute {
                let message = "there is no initialiser to make a span of; put the attribute on \
                               what gives the variable its value";
                self.errors.add(attribute, message);
            }
            return;
        };
        let attribute =
            attribute.or_else(|| attributes(&mut init.expr).and_then(|written| self.take(written)));
        if attribute.is_some() && is_place(&init.expr) {
            let message = "this only names a place, there is nothing to time; put the attribute \
                           on what computes it";
            self.errors.add(&init.expr, message);
            return;
        }
        let ty = match &local.pat {
            Pat::Type(typed) => Some(&*typed.ty),
            _ => None,
        };
        let traced = attribute.is_some();
        let value_use = value_use(&init.expr);
        let unended = self.unended;
        let position = Position { value_use, ty, place: StatementPlace::Followed };
        self.expression(&mut init.expr, attribute, &position);
        if let Some((_, diverge)) = &mut init.diverge {
            self.visit_expr_mut(diverge);
            let init = &mut *init.expr;
            if traced {
                *init = Expr::Verbatim(quote!((#init)));
            }
            if let (Expr::Block(diverge), true) = (&mut **diverge, self.unended > unended) {
                diverge.block.stmts.insert(0, self.end_exited());
            }
        }
    }

    /// An expression with what is inside of it, as a span when it has the attribute.
    fn expression(
        &mut self,
        expr: &mut Expr,
        attribute: Option<Attribute>,
        position: &Position<'_>,
    ) {
        let Some(span) = attribute.and_then(|attribute| self.model(&attribute, expr)) else {
            return self.inside(expr, position);
        };
        if let Expr::Async(block) = expr {
            *expr = self.traced_future(&span, block);
            return;
        }
        self.frame.depth += 1;
        self.inside(expr, position);
        self.frame.depth -= 1;
        *expr = Expr::Verbatim(self.traced(&span, expr, position));
    }

    /// Takes the attribute off.
    fn take(&mut self, written: &mut Vec<Attribute>) -> Option<Attribute> {
        written.retain(|attribute| {
            let (_, inner) = conditional(attribute).unzip();
            let mut inner = inner.unwrap_or_default();
            let found = take_attributes(&mut inner, "span");
            for span in &found {
                let message = "a macro cannot tell whether the condition of `cfg_attr` holds; write the \
                               block twice, with `#[cfg(condition)]` and `#[span(\"name\")]`, and with \
                               `#[cfg(not(condition))]`";
                self.errors.add(span.meta.path(), message);
            }
            found.is_empty()
        });
        let mut taken = take_attributes(written, "span").into_iter();
        let first = taken.next();
        for other in taken {
            self.errors.add(other, given_twice("span"));
        }
        first
    }

    fn model(&mut self, attribute: &Attribute, expr: &Expr) -> Option<Span> {
        let unnamed = |errors: &mut Errors| {
            errors.add(attribute, "a block has no name of its own; write `#[span(\"name\")]`");
            None
        };
        self.attribute.get_or_insert_with(|| attribute.path().clone());
        let span = Span::new(arguments(attribute), unnamed, self.runtime, self.errors)?;
        if let Some(looks) = span.looks_at_error()
            && may_leave(tried(expr).unwrap_or(expr))
        {
            let option = if span.error_if.is_some() { "error_if" } else { "err" };
            let message = format!(
                "`{option}` cannot see an error that leaves by `?` or `return` from inside; put it on \
                 the function, or on a block whose value is the `Result`"
            );
            self.errors.add(looks, message);
            return None;
        }
        Some(span)
    }

    /// What is inside of an expression.
    fn inside(&mut self, expr: &mut Expr, position: &Position<'_>) {
        let tail = std::mem::take(&mut self.tail);
        let unended = self.unended;
        match expr {
            Expr::Block(block) => self.block(&mut block.block, tail),
            Expr::Unsafe(block) => self.block(&mut block.block, tail),
            Expr::If(branch) => {
                self.visit_expr_mut(&mut branch.cond);
                self.block(&mut branch.then_branch, tail);
                if let Some((_, other)) = &mut branch.else_branch {
                    self.tail = tail;
                    self.visit_expr_mut(other);
                }
            }
            Expr::Match(branches) => {
                self.visit_expr_mut(&mut branches.expr);
                for arm in &mut branches.arms {
                    self.visit_pat_mut(&mut arm.pat);
                    self.tail = tail;
                    self.visit_expr_mut(&mut arm.body);
                }
            }
            Expr::Async(block) => {
                let within = |within: &mut Self| within.block(&mut block.block, false);
                if let Some(frame) = self.in_frame(Frame::default(), within) {
                    let rule = frame.rule(self.runtime, block.span());
                    let runtime = self.runtime;
                    *expr = Expr::Verbatim(quote! {
                        #runtime::__private::frame().follow(#block, #rule)
                    });
                }
            }
            Expr::Closure(closure) => self.closure(closure),
            Expr::Try(tried) => {
                let known = position.ty.filter(|_| is_generic(&tried.expr));
                self.visit_expr_mut(&mut tried.expr);
                if self.frame.depth > 0 && !self.frame.typed {
                    *tried.expr = self.observed_try(&tried.expr, known);
                }
            }
            Expr::Return(exit) => {
                let fails = exit.expr.as_ref().is_some_and(|value| may_fail(value));
                self.frame.returns |= fails && self.frame.depth > 0;
                visit_expr_mut(self, expr);
            }
            Expr::Macro(call) => self.call(&call.mac),
            Expr::ForLoop(iteration) => {
                self.visit_expr_mut(&mut iteration.expr);
                self.iteration(&mut iteration.body);
            }
            Expr::While(iteration) => {
                self.visit_expr_mut(&mut iteration.cond);
                self.iteration(&mut iteration.body);
            }
            Expr::Loop(iteration) => self.iteration(&mut iteration.body),
            Expr::Const(_) => {}
            _ => visit_expr_mut(self, expr),
        }
        // A statement is settled before the next one.
        let settled = tail || position.place == StatementPlace::Followed;
        if self.unended > unended && !settled && is_left_by_break(expr) {
            let (value, end_exited) = (value(), self.end_exited());
            *expr = Expr::Verbatim(quote!({ let #value = #expr; #end_exited #value }));
        }
    }

    /// The body of a loop, whose blocks `continue` may have left.
    fn iteration(&mut self, body: &mut Block) {
        let unended = self.unended;
        self.block(body, false);
        if self.unended > unended {
            body.stmts.insert(0, self.end_exited());
        }
    }

    /// The expression in its span.
    fn traced(&mut self, span: &Span, expr: &Expr, position: &Position<'_>) -> TokenStream {
        let Position { value_use, ty, place } = *position;
        let tokens = inside(expr);
        let leaves = has_call(&tokens) || mentions(&tokens, &["break", "continue"]);
        self.frame.blocks += 1;
        self.frame.ends_by_value |= value_use == ValueUse::Frame;
        self.unended += usize::from(leaves || value_use == ValueUse::Untouched);
        let runtime = &span.runtime;
        let start = span::start(span, None);
        let variable = hidden("block");
        // What comes after an expression that leaves would be unreachable code. Where that cannot be seen, the
        // span ends when the block is dropped.
        let stays = matches!(value_use, ValueUse::Frame | ValueUse::Untouched)
            || diverges(expr)
            || ends_in_call(expr);
        if stays && !span.records_value() && span.error_if.is_none() {
            let last = tokens.clone().into_iter().last();
            let mut block =
                Group::new(Delimiter::Brace, quote!(let #variable = #start.block(); #tokens));
            if let (StatementPlace::Tail, Some(last)) = (place, last) {
                // In the edition of the user's code, and where clippy looks for a `}` or a `;`.
                block.set_span(last.span());
            }
            return block.into_token_stream();
        }
        let value = value();
        let ty = ty.map(|ty| quote!(: #ty));
        let (before, tokens, rule) = match tried(expr) {
            Some(result) => match before_try(span, result, &variable) {
                Some(before) => (Some(before), quote!(#value?), span::rule_after_try(span)),
                None => (None, tokens, span::rule_after_try(span)),
            },
            None if value_use == ValueUse::Nothing => (None, tokens, span::rule_if_ok(span)),
            None => (None, tokens, span::outcome_rule(span)),
        };
        let mutable = (before.is_some() && span.error_if.is_some()).then(|| quote!(mut));
        let rule = rule.closure(None, runtime, expr.span());
        // What it borrows from may live as long as the statement round it.
        if matches!(place, StatementPlace::Nested | StatementPlace::Tail) && before.is_none() {
            return quote! {
                match (#start.block(), #tokens) {
                    (#variable, #value) => { #variable.end(&#value, #rule); #value }
                }
            };
        }
        quote!({
            let #mutable #variable = #start.block();
            #before
            let #value #ty = #tokens;
            #runtime::__private::end_block!(#variable, #value, #rule);
            #value
        })
    }

    fn end_exited(&self) -> Stmt {
        let runtime = self.runtime;
        parse_quote!(#runtime::__private::end_exited!();)
    }
}

/// What looks at a `Result` before the `?` after it, where the span of the block looks at its error.
fn before_try(span: &Span, result: &Expr, block: &Ident) -> Option<TokenStream> {
    let (runtime, value) = (&span.runtime, value());
    let error_if = span.error_if.as_ref().map(|error_if| {
        let expected = quote_spanned!(error_if.span()=> #runtime::__private::failure::expected(&#value, #error_if));
        quote!(#block.end_if(|| #expected);)
    });
    let error = span::error_attributes(span)
        .map(|attributes| quote!(#block.record_error(&#value, #attributes);));
    (error_if.is_some() || error.is_some()).then(|| quote!(let #value = #result; #error_if #error))
}

/// The tokens of an expression that is put into a block of ours.
fn inside(expr: &Expr) -> TokenStream {
    let tokens = expr.to_token_stream();
    match (expr, tokens.clone().into_iter().next()) {
        (Expr::Block(ExprBlock { label: None, .. }), Some(TokenTree::Group(block))) => {
            block_inside(&block).into_token_stream()
        }
        _ => tokens,
    }
}

/// Where the attributes of a statement are: on the left of what it assigns, for one.
fn leftmost(expr: &mut Expr) -> Option<&mut Vec<Attribute>> {
    match expr {
        Expr::Assign(assign) => leftmost(&mut assign.left),
        Expr::Binary(binary) => leftmost(&mut binary.left),
        Expr::Cast(cast) => leftmost(&mut cast.expr),
        other => attributes(other),
    }
}

macro_rules! attributes {
    ($($variant:ident)*) => {
        fn attributes(expr: &mut Expr) -> Option<&mut Vec<Attribute>> {
            match expr {
                $(Expr::$variant(expr) => Some(&mut expr.attrs),)*
                _ => None,
            }
        }
    };
}

attributes! {
    Array Assign Async Await Binary Block Break Call Cast Closure Const Continue Field ForLoop Group
    If Index Infer Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference Repeat
    Return Struct Try TryBlock Tuple Unary Unsafe While Yield
}
