//! What an editor sees while an attribute or a body is half typed: the function, its parameters and its body are
//! in the expansion, each token in its place, so that completion and navigation work.

use proc_macro2::{LineColumn, TokenStream, TokenTree};

use crate::function::{self, Attribute};
use crate::syntax;
use crate::syntax::table::OptionTable;
use crate::traced_app;

type Expand = fn(TokenStream, TokenStream) -> TokenStream;

const SPAN: Expand = |args, item| function::expand(Attribute::Span, args, item);
const PROPAGATE: Expand = |args, item| function::expand(Attribute::Propagate, args, item);

/// Every word and literal with its place.
fn words(tokens: TokenStream, words: &mut Vec<(String, LineColumn)>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => self::words(group.stream(), words),
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                words.push((tree.to_string(), tree.span().start()));
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// Asserts that all of an item is in its expansion, in its place. What is between `⟦` and `⟧` is our attribute.
#[track_caller]
fn assert_kept(expand: Expand, args: &str, item: &str) {
    let plain: String = item
        .split('⟦')
        .enumerate()
        .map(|(index, part)| match part.split_once('⟧') {
            // The same places, without the words.
            Some((ours, rest)) if index > 0 => {
                format!("{}{rest}", " ".repeat(ours.chars().count() + 2))
            }
            _ => part.to_owned(),
        })
        .collect();
    let item = item.replace(['⟦', '⟧'], " ");
    let parse = |text: &str| text.parse::<TokenStream>().expect("tokens");
    let mut found = Vec::new();
    words(expand(parse(args), parse(&item)), &mut found);
    let mut expected = Vec::new();
    words(parse(&plain), &mut expected);
    for (word, place) in expected {
        assert!(
            found.iter().any(|(other, at)| *other == word && at.column == place.column),
            "`{word}` at {} is not in the expansion of `{args}` on `{item}`: {found:?}",
            place.column
        );
    }
}

const ITEM: &str = "fn handle(&self, mut first: u32, (second, _): Pair, third: &Headers) -> Result<u32, Error> \
                    { let sum = first + second; self.store(sum, third)?; Ok(sum) }";

/// Each option of a table as far as it may be typed.
fn half_typed(table: &OptionTable) -> impl Iterator<Item = String> {
    table.options.iter().flat_map(|(name, forms)| {
        let form = forms[0];
        let typed = (1..=form.len()).filter_map(|end| form.get(..end)).map(str::to_owned);
        typed.chain([
            format!("{name}()"),
            format!("{name}(self.)"),
            format!("{form},"),
            format!("{form},,"),
        ])
    })
}

#[test]
fn half_typed_options_keep_the_function() {
    for (expand, table) in [(SPAN, &syntax::SPAN), (PROPAGATE, &syntax::PROPAGATE)] {
        let typed = half_typed(table).filter(|args| args.parse::<TokenStream>().is_ok());
        for args in typed {
            assert_kept(expand, &args, ITEM);
            assert_kept(expand, &args, &ITEM.replacen("fn", "async fn", 1));
        }
    }
    for args in half_typed(&syntax::TRACED_APP).filter(|args| args.parse::<TokenStream>().is_ok()) {
        assert_kept(
            traced_app::expand,
            &format!("\"shop\", {args}"),
            "fn main() { let sum = 1; run(sum) }",
        );
    }
}

#[test]
fn a_half_typed_attribute_keeps_the_function() {
    for args in [
        "kind(cl)",
        "ki",
        "x",
        "x.",
        "x.y",
        "x =",
        "x = self.",
        "x = %",
        "x = first +",
        "\"name\",",
        "\"name\" kind(client)",
        ",",
        "ok(|value|)",
        "ok(|value| key)",
        "ok(|value| key =)",
        "ok(|value| key = value.)",
        "error_if(|error| error.)",
        "root,,",
        "NAME.",
        "format!()",
        "?",
    ] {
        if args.parse::<TokenStream>().is_err() {
            continue;
        }
        assert_kept(SPAN, args, ITEM);
        assert_kept(SPAN, args, &ITEM.replacen("fn", "async fn", 1));
    }
    for args in ["", "th", "third.", "extract(third.)", "link(third,", "baggage(x =)"] {
        if args.parse::<TokenStream>().is_err() {
            continue;
        }
        assert_kept(PROPAGATE, args, ITEM);
    }
}

#[test]
fn a_half_typed_body_keeps_the_function() {
    for body in [
        "self.",
        "let sum =",
        "let sum = first.; self.store(sum)",
        "self.store(first,)?",
        "if first. { self.store(first) }",
        "match second { Some(x) => , None => first }",
        "first +; second",
        "⟦#[span(\"block\")]⟧ { self. }",
        "⟦#[span(\"block\")]⟧ let sum = self.; second",
        "⟦#[span(\"block\", x = self.)]⟧ { first + second }",
        "⟦#[span(\"block\", ki)]⟧ { first + second }",
        "⟦#[span()]⟧ { first + second }",
        "⟦#[span]⟧ first. ; second",
        "⟦#[span(\"block\")]⟧",
        "Box::pin(async move { self. })",
    ] {
        for head in ["fn", "async fn", "pub fn", "async unsafe fn"] {
            let item = format!(
                "{head} handle(&self, mut first: u32, (second, _): Pair) -> u32 {{ {body} }}"
            );
            assert_kept(SPAN, "\"name\", x = first", &item);
        }
        let item = format!(
            "impl Store {{ fn handle(&self, first: u32) {{ {body} }} const LIMIT: u32 = 1; }}"
        );
        assert_kept(SPAN, "", &item);
        let item = format!(
            "impl App {{ fn setup(first: u32) -> Self {{ {body} }} fn run(&self) {{ {body} }} }}"
        );
        assert_kept(traced_app::expand, "\"shop\"", &item);
    }
}

#[test]
fn a_half_typed_signature_keeps_the_function() {
    for item in [
        "fn handle(first: , second: u32) { first + second }",
        "fn handle(first: u32, sec) { first + second }",
        "fn handle(first: u32) -> { first }",
        "fn handle(first: Option<) { first }",
        "async fn handle(⟦#[record]⟧ first) { first }",
        "fn (first: u32) { first }",
        "impl Store { fn handle(first: ) { first } fn other(&self) { self.value } }",
        "impl Store { fn handle(first: u32) { first } fn }",
    ] {
        assert_kept(SPAN, "", item);
    }
}
