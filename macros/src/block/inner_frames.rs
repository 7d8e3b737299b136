//! The frames inside of a body: closures and `async` blocks, and what leaves them.

use quote::quote;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Expr, ExprAsync, ExprClosure, Macro, ReturnType, Type};

use super::expansion::Expansion;
use super::frame::Frame;
use super::value_use::{ValueUse, block_value_use, is_named};
use crate::span::{self, Span};
use crate::syntax::{OutcomeRule, has_span, hidden, value};

impl Expansion<'_> {
    /// A call of a macro, which may hide a `return`.
    pub(super) fn call(&mut self, call: &Macro) {
        self.frame.returns |= self.frame.depth > 0 && is_named(call, &["bail", "ensure"]);
        if has_span(call.tokens.clone()) {
            let message = "a `#[span]` inside of a macro call is not seen; move it out of the call";
            self.errors.add(&call.path, message);
        }
    }

    /// The operand of a `?` that leaves a frame of an unknown type, which is looked at here.
    pub(super) fn observed_try(&self, operand: &Expr, known: Option<&Type>) -> Expr {
        let (runtime, value) = (self.runtime, value());
        let rule = OutcomeRule::Result.closure(None, runtime, operand.span());
        let hint = known.map(|ty| quote!(#runtime::__private::is_of::<#ty, _>(&#value);));
        Expr::Verbatim(quote! {
            match #operand { #value => { #hint #runtime::__private::observe_exit(&#value, #rule); #value } }
        })
    }

    /// An `async` block with spans inside, followed in a frame of its own; `None` when there are no spans in it.
    pub(super) fn future(&mut self, block: &mut ExprAsync) -> Option<Expr> {
        let within = |within: &mut Self| within.block(&mut block.block, false);
        let frame = self.in_frame(Frame::default(), within)?;
        let (runtime, rule) = (self.runtime, frame.rule(self.runtime, block.span()));
        Some(Expr::Verbatim(quote!(#runtime::__private::frame().follow(#block, #rule))))
    }

    /// Visits a frame of its own; `None` when there are no spans in it.
    pub(super) fn in_frame(
        &mut self,
        frame: Frame,
        visit: impl FnOnce(&mut Self),
    ) -> Option<Frame> {
        let outer = std::mem::replace(&mut self.frame, frame);
        let unended = self.unended;
        visit(self);
        self.unended = unended;
        let frame = std::mem::replace(&mut self.frame, outer);
        (frame.blocks > 0).then_some(frame)
    }

    /// An `async` block as a span, which lasts until the future is ready.
    pub(super) fn traced_future(&mut self, span: &Span, block: &mut ExprAsync) -> Expr {
        let by_value =
            block_value_use(&block.block) == ValueUse::Value || span.looks_at_error().is_some();
        // The span itself is round all of it. What `error_if` and `err` look at has a type that is known.
        let frame = Frame {
            typed: span.looks_at_error().is_some(),
            blocks: 1,
            depth: 1,
            ..Frame::default()
        };
        let frame = self.in_frame(frame, |within| within.block(&mut block.block, false));
        let returns = frame.is_some_and(|frame| frame.returns);
        let rule =
            if by_value || returns { span::outcome_rule(span) } else { span::rule_if_ok(span) };
        let rule = rule.closure(None, &span.runtime, block.span());
        let start = span::start(span, None);
        Expr::Verbatim(quote!(#start.with_blocks().follow(#block, #rule)))
    }

    pub(super) fn closure(&mut self, closure: &mut ExprClosure) {
        let typed = matches!(closure.output, ReturnType::Type(..));
        let frame = self.in_frame(Frame { typed, ..Frame::default() }, |within| {
            within.tail = typed;
            within.visit_expr_mut(&mut closure.body);
        });
        let Some(frame) = frame else { return };
        let runtime = self.runtime;
        let rule = frame.rule(runtime, closure.span());
        let (body, output) = (&closure.body, &closure.output);
        let body = if closure.asyncness.is_some() {
            let output = match output {
                ReturnType::Default => None,
                ReturnType::Type(_, ty) => Some(quote!(#runtime::__private::returns!(#ty);)),
            };
            quote!(#runtime::__private::frame().follow(async { #output #body }, #rule).await)
        } else if typed {
            quote!(#runtime::__private::frame().run(|| #output { #body }, #rule))
        } else if frame.returns {
            quote!(#runtime::__private::frame().run(|| #body, #rule))
        } else {
            let variable = hidden("frame");
            quote!(let #variable = #runtime::__private::enter_frame(); #body)
        };
        *closure.body = Expr::Verbatim(quote!({ #body }));
    }
}
