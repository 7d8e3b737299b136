//! An expression that is a span.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprBlock, Ident};

use super::expansion::{Expansion, Position, StatementPlace};
use super::value_use::{ValueUse, diverges, ends_in_call, has_call, tried};

use crate::span::{self, Span};
use crate::syntax::{block_inside, hidden, mentions, value};

impl Expansion<'_> {
    /// The expression in its span.
    pub(super) fn traced(
        &mut self,
        span: &Span,
        expr: &Expr,
        position: &Position<'_>,
    ) -> TokenStream {
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
