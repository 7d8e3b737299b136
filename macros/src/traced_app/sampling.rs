//! `sample(…)`: a rate, and rules that make exceptions from it.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Path, Token, UnOp};

use crate::diagnostics::Errors;
use crate::syntax::SampleArgument;

/// The calls on the runtime's `Config`.
pub(super) fn sampling(
    arguments: Punctuated<SampleArgument, Token![,]>,
    runtime: &Path,
    errors: &mut Errors,
) -> TokenStream {
    let mut calls = TokenStream::new();
    let mut patterns: Vec<String> = Vec::new();
    for (place, argument) in arguments.into_iter().enumerate() {
        match argument {
            SampleArgument::Rate(Expr::Lit(ExprLit { lit: Lit::Str(pattern), .. })) => {
                let text = pattern.value();
                let message = format!(
                    "a rate is not quoted, and a pattern needs one; write `sample(0.1)` or `sample(0.1, \"{text}\" = 0.5)`"
                );
                errors.add(pattern, message);
            }
            SampleArgument::Rate(rate) if place == 0 => calls.extend(head(rate, errors)),
            SampleArgument::Rate(other) => {
                let message =
                    "the rate comes first, and the others are rules; write `\"name\" = 0.5`";
                errors.add(other, message);
            }
            SampleArgument::Rule(pattern, rate) => {
                check_pattern(&pattern, &patterns, errors);
                patterns.push(pattern.value());
                let rate = of_rule(rate, runtime, errors);
                calls.extend(quote!(.sample_rule(#pattern, #rate)));
            }
        }
    }
    calls
}

fn check_pattern(pattern: &LitStr, earlier: &[String], errors: &mut Errors) {
    let text = pattern.value();
    if text.trim().is_empty() {
        let message = "the pattern is empty; write the name of a span, or `\"*\"` for all";
        errors.add(pattern, message);
    } else if earlier.contains(&text) {
        errors
            .add(pattern, "there is an earlier rule with this pattern, which decides; remove one");
    }
}

/// The rate of what no rule is for.
fn head(rate: Expr, errors: &mut Errors) -> TokenStream {
    if let Some(number) = argument_of(&rate, "per_second") {
        let number = per_second(number, errors);
        return quote!(.sample_per_second(#number));
    }
    let Some(inner) = argument_of(&rate, "consistent") else {
        let ratio = ratio(rate, errors);
        return quote!(.sample(#ratio));
    };
    if argument_of(inner, "per_second").is_some() {
        let message = "a rate has no threshold to state; write `sample(per_second(50))`";
        errors.add(inner, message);
    }
    let ratio = ratio(inner.clone(), errors);
    quote!(.sample_consistently(#ratio))
}

fn of_rule(rate: Expr, runtime: &Path, errors: &mut Errors) -> TokenStream {
    if argument_of(&rate, "consistent").is_some() {
        let message =
            "a rule follows the first argument; write `sample(consistent(0.1), \"name\" = 0.5)`";
        errors.add(&rate, message);
    }
    match argument_of(&rate, "per_second") {
        Some(number) => {
            let number = per_second(number, errors);
            quote!(#runtime::SampleRate::PerSecond(#number))
        }
        None => ratio(rate, errors),
    }
}

/// The argument, if this calls the function of this name with one.
fn argument_of<'a>(call: &'a Expr, function: &str) -> Option<&'a Expr> {
    match call {
        Expr::Call(call) => {
            let is_called = matches!(&*call.func, Expr::Path(path) if path.path.is_ident(function));
            call.args.first().filter(|_| is_called && call.args.len() == 1)
        }
        _ => None,
    }
}

/// A ratio, which must be from 0 to 1 where that can be seen.
fn ratio(ratio: Expr, errors: &mut Errors) -> TokenStream {
    if written(&ratio).is_some_and(|number| !(0.0..=1.0).contains(&number)) {
        let given = ratio.to_token_stream();
        let message = format!(
            "the sampling ratio is 0 to 1; {given} was given. For a number of traces a second write `per_second({given})`"
        );
        errors.add(&ratio, message);
    }
    as_float(ratio)
}

fn per_second(number: &Expr, errors: &mut Errors) -> TokenStream {
    if written(number).is_some_and(|number| number < 0.0) {
        let given = number.to_token_stream();
        errors.add(number, format!("a number of traces is not negative; {given} was given"));
    }
    as_float(number.clone())
}

/// The number, if it is written down.
fn written(number: &Expr) -> Option<f64> {
    match number {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => {
            written(expr).map(|number| -number)
        }
        _ => None,
    }
}

/// A whole number that is written down becomes a float.
fn as_float(number: Expr) -> TokenStream {
    match &number {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
            let float = int.base10_parse::<f64>().map(|float| {
                let mut literal = Literal::f64_unsuffixed(float);
                literal.set_span(int.span());
                literal.into_token_stream()
            });
            float.unwrap_or_else(|_| number.to_token_stream())
        }
        _ => number.to_token_stream(),
    }
}
