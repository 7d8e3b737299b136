//! `#[span]` and `#[propagate]` on functions, and `#[span]` on whole `impl` blocks. On one function
//! whichever comes first takes the other along, so that their order does not matter: extraction,
//! then the span, then injection, then the body.

use proc_macro2::{Span as Place, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path, Token};

use crate::block;
use crate::diagnostics::{Errors, attribute_given_twice};
use crate::item_with_errors;
use crate::propagate::{self, Propagation};
use crate::span::{self, Span};
use crate::syntax::{
    Body, Function, ImplBlock, Member, Name, OutcomeRule, SpanWrapper, arguments, default_runtime,
    has_span, take_attributes,
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Attribute {
    Span,
    Propagate,
}

impl Attribute {
    fn word(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Propagate => "propagate",
        }
    }
}

pub(crate) fn expand(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    if item_with_errors::is_use(&args) {
        return TokenStream::new();
    }
    let mut errors = Errors::new();
    let expanded = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => {
            let written = AnnotatedFunction::on(function, Some((attribute, args)), &mut errors);
            written.expand(None, &default_runtime(), &mut errors).into_token_stream()
        }
        Err(_) if attribute == Attribute::Span && ImplBlock::is_it(&item) => {
            impl_block(args, item.clone(), &mut errors)
        }
        Err(error) => {
            let (place, message) = item_with_errors::misplaced(attribute.word(), &item, &error);
            errors.push(syn::Error::new(place, message));
            item.clone()
        }
    };
    match errors.finish() {
        None => expanded,
        Some(errors) => item_with_errors::emit(&errors, item),
    }
}

/// A function that another attribute annotates, with the spans inside of it; one with `#[span]` or
/// `#[propagate]` of its own is left to that.
pub(crate) fn expand_blocks(function: Function, runtime: &Path, errors: &mut Errors) -> Function {
    if [Attribute::Span, Attribute::Propagate]
        .iter()
        .any(|one| function.attribute(one.word()).is_some())
    {
        return function;
    }
    AnnotatedFunction::on(function, None, errors).expand(None, runtime, errors)
}

/// A function, and what its attributes say.
struct AnnotatedFunction {
    function: Function,
    span: Option<TokenStream>,
    propagate: Option<TokenStream>,
    /// The attributes that were taken off it.
    taken: Vec<Path>,
}

impl AnnotatedFunction {
    fn on(
        mut function: Function,
        own: Option<(Attribute, TokenStream)>,
        errors: &mut Errors,
    ) -> Self {
        let mut taken = Vec::new();
        let [span, propagate] = [Attribute::Span, Attribute::Propagate].map(|one| {
            let own = own.as_ref().filter(|(attribute, _)| *attribute == one);
            let mut written = own.map(|(_, args)| args.clone());
            for other in take_attributes(&mut function.attrs, one.word()) {
                if written.is_some() {
                    errors.add(&other, attribute_given_twice(one.word()));
                }
                taken.push(other.path().clone());
                written = Some(arguments(&other));
            }
            written
        });
        Self { function, span, propagate, taken }
    }

    /// The function as its attributes want it; `type_name` is of the `impl` block it is in.
    fn expand(self, type_name: Option<&str>, runtime: &Path, errors: &mut Errors) -> Function {
        let Self { mut function, span, propagate, mut taken } = self;
        if span.is_none() && propagate.is_none() && !has_span(function.body.stream()) {
            return function;
        }
        let propagation =
            propagate.map(|tokens| Propagation::new(tokens, &function, runtime, errors));
        let span =
            span.and_then(|tokens| span_of(tokens, type_name, &mut function, runtime, errors));
        check_together(span.as_ref(), propagation.as_ref(), &function, errors);
        let runtime = match (&span, &propagation) {
            (Some(span), _) => &span.runtime,
            (None, Some(propagation)) => &propagation.runtime,
            (None, None) => runtime,
        };
        let remedy = match type_name {
            Some(_) => "add `#[span(skip)]`",
            None => "remove the attribute",
        };
        let Some(mut body) = Body::of(&function, remedy, errors) else {
            return function;
        };
        let typed = body.is_typed();
        let found = block::expand(&mut body.core, typed, runtime, errors);
        // Where the attribute round it is written with a path, this one needs no import.
        taken.extend(found.attribute.clone().filter(|_| !is_written_with_a_path()));
        if let Some(propagation) = &propagation {
            propagate::inject(propagation, &mut body.core);
        }
        let function = match wrapper(span.as_ref(), propagation.as_ref(), &found, runtime) {
            Some(wrapper) => body.wrap(function, &wrapper),
            None => body.restore(function),
        };
        item_with_errors::mention(&taken, function)
    }
}

/// The span that an attribute means, with what `#[record]` on the parameters adds.
fn span_of(
    tokens: TokenStream,
    type_name: Option<&str>,
    function: &mut Function,
    runtime: &Path,
    errors: &mut Errors,
) -> Option<Span> {
    let records = span::record::take(function, errors);
    let name = default_name(type_name, function);
    let mut span = Span::new(tokens, Ok(name), runtime, errors)?;
    span.record(records, errors);
    Some(span)
}

/// Reports what one of the two attributes of a function says that the other forbids or lacks.
fn check_together(
    span: Option<&Span>,
    propagation: Option<&Propagation>,
    function: &Function,
    errors: &mut Errors,
) {
    match (span, propagation) {
        (Some(span), propagation) => {
            span.check_parent(propagation.is_some_and(Propagation::extracts), errors);
            propagate::check_order(function, errors);
        }
        (None, Some(propagation)) => propagation.check_span(errors),
        (None, None) => {}
    }
}

/// What the body of a function runs in; `None` if it runs as it is.
fn wrapper(
    span: Option<&Span>,
    propagation: Option<&Propagation>,
    found: &block::FoundSpans,
    runtime: &Path,
) -> Option<SpanWrapper> {
    let context = propagation.and_then(propagate::context);
    let continues = context.is_some() || span.is_some_and(Span::has_parent);
    let (start, rule) = match (span, context) {
        (Some(span), _) => {
            let start_calls = propagation.map(propagate::start_calls);
            (span::start(span, start_calls.as_ref()), span::outcome_rule(span))
        }
        (None, Some(context)) => {
            (quote!(#runtime::__private::continued(#context)), OutcomeRule::Typed(None))
        }
        (None, None) if found.blocks => {
            (quote!(#runtime::__private::frame()), OutcomeRule::Typed(None))
        }
        (None, None) => return None,
    };
    let blocks = found.blocks.then(|| quote!(.with_blocks()));
    Some(SpanWrapper {
        start: quote!(#start #blocks),
        rule,
        continues,
        ends_by_value: found.ends_by_value,
        runtime: runtime.clone(),
    })
}

/// Whether the attribute that is expanded is written as `#[spandrel::span]`. Where its source is not
/// known, it counts as one that is imported.
fn is_written_with_a_path() -> bool {
    let text = Place::call_site().source_text().unwrap_or_default();
    text.split('(').next().is_some_and(|path| path.contains("::"))
}

fn default_name(type_name: Option<&str>, function: &Function) -> Name {
    let ident = &function.sig.ident;
    let name = ident.unraw().to_string();
    let name = type_name.map_or(name.clone(), |type_name| format!("{type_name}::{name}"));
    Name::Literal(LitStr::new(&name, ident.span()))
}

/// Every method a span, with what is written for the block unless the method has its own.
fn impl_block(args: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let Some(block) = errors.ok(syn::parse2::<ImplBlock>(item)) else {
        return TokenStream::new();
    };
    let (name, args) = split_name(args, errors);
    let Some(type_name) = name.or_else(|| block.type_name()) else {
        errors.add(&block.head, "this type has no name; write `#[span(\"Name\")]`");
        return TokenStream::new();
    };
    let runtime = default_runtime();
    let members = block.members.into_iter().map(|member| {
        let function = match member {
            Member::Function(function) => *function,
            Member::Other(tokens) => return tokens,
        };
        let mut written = AnnotatedFunction::on(function, None, errors);
        match &written.span {
            None => written.span = Some(args.clone()),
            Some(own) if own.to_string() == "skip" => written.span = None,
            Some(_) => {}
        }
        written.expand(Some(&type_name), &runtime, errors).into_token_stream()
    });
    let members: Vec<TokenStream> = members.collect();
    let head = block.head;
    quote!(#head { #(#members)* })
}

/// What is written on an `impl` block: the name, which its methods' names start with, and the rest.
fn split_name(args: TokenStream, errors: &mut Errors) -> (Option<String>, TokenStream) {
    let split = |input: ParseStream| -> syn::Result<(Option<Name>, TokenStream)> {
        let name = Name::parse(input)?;
        if name.is_some() {
            input.parse::<Option<Token![,]>>()?;
        }
        Ok((name, input.parse()?))
    };
    let (name, rest) = errors.ok(split.parse2(args)).unwrap_or_default();
    let name = match name {
        Some(Name::Literal(literal)) => Some(literal.value()),
        Some(Name::Constant(path)) => {
            let message = "a constant cannot start the methods' names; write `#[span(\"Name\")]`";
            errors.add(path, message);
            None
        }
        None => None,
    };
    (name, rest)
}
