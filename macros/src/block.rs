//! Spans inside a body: `#[span]` on blocks, `let` initialisers and expressions.
//!
//! Control flow stays as it is written: the span is a variable whose scope is the block. Where the
//! value of a block can be seen, the span ends by it; a block that is left early waits for the
//! outcome of its frame, the function, closure or `async` block round it.

use proc_macro2::{Delimiter, Group, Span as Place, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{Attribute, Block, Expr, ExprAsync, ExprClosure, Ident, Local, Meta, Pat, Path};
use syn::{Macro, ReturnType, Stmt, Type, parse_quote};

use crate::diagnostics::Errors;
use crate::span::{self, Span};
use crate::syntax::{Look, ends_in, mentions, value};

/// What was found in a body.
#[derive(Default)]
pub(crate) struct Found {
    /// Whether there are spans in it, not counting those in closures and `async` blocks.
    pub(crate) blocks: bool,
    /// The path that the attribute was written with.
    pub(crate) attribute: Option<Path>,
}

/// Makes spans of what has the attribute in the body of a function.
pub(crate) fn expand(body: &mut Group, runtime: &Path, errors: &mut Errors) -> Found {
    if !is_in(body) {
        return Found::default();
    }
    let Some(mut block) = errors.ok(syn::parse2::<Block>(body.to_token_stream())) else {
        return Found::default();
    };
    let mut expansion = Expansion {
        runtime,
        errors,
        frame: Frame::default(),
        tail: false,
        unsettled: 0,
        attribute: None,
    };
    expansion.block(&mut block, true);
    let found = Found { blocks: expansion.frame.blocks, attribute: expansion.attribute };
    if let Some(TokenTree::Group(group)) = block.to_token_stream().into_iter().next() {
        *body = group;
    }
    found
}

/// Whether there may be spans in a body.
pub(crate) fn is_in(body: &Group) -> bool {
    has_attribute(body.stream())
}

/// Whether `#[span]`, by whatever path, is among the tokens.
fn has_attribute(tokens: TokenStream) -> bool {
    let mut after_pound = false;
    tokens.into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Group(group) if after_pound && group.delimiter() == Delimiter::Bracket => {
                let path = syn::parse2::<Meta>(group.stream()).map(|meta| meta.path().clone());
                path.is_ok_and(|path| path.segments.last().is_some_and(|last| last.ident == "span"))
            }
            TokenTree::Group(group) => has_attribute(group.stream()),
            _ => false,
        };
        after_pound = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        found
    })
}

/// A function, a closure or an `async` block: what `?` and `return` leave.
#[derive(Default)]
struct Frame {
    /// Whether there are spans in it.
    blocks: bool,
    /// Whether a span in it may end by the value of the frame.
    asks: bool,
    /// Whether a macro in one of them may hide a `return`.
    hides: bool,
}

struct Expansion<'a> {
    runtime: &'a Path,
    errors: &'a mut Errors,
    frame: Frame,
    /// Whether the value of the next expression is that of the frame.
    tail: bool,
    /// How many spans so far may be left by a `break` or `continue`.
    unsettled: usize,
    attribute: Option<Path>,
}

/// How a span gets to see the value of its block.
#[derive(Clone, Copy, PartialEq)]
enum Sight {
    /// The value is the frame's: so is the outcome.
    Frame,
    /// It is looked at.
    Value,
    /// It says nothing: `()`, or what is left of a `Result` after `?`.
    Nothing,
    /// It must stay where it is, for a reference into it may outlive the block.
    Untouched,
}

impl VisitMut for Expansion<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block, false);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let attribute = attributes(expr).and_then(take_attribute);
        let sight = if self.tail { Sight::Frame } else { unextended(expr) };
        self.expression(expr, attribute, sight, None);
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
            let unsettled = self.unsettled;
            self.statement(&mut statement, last, tail);
            block.stmts.push(statement);
            if self.unsettled > unsettled && !last {
                block.stmts.push(self.settle());
            }
        }
    }

    fn statement(&mut self, statement: &mut Stmt, last: bool, tail: bool) {
        if let Stmt::Macro(call) = statement
            && call.attrs.iter().any(|attribute| ends_in(attribute, "span"))
        {
            let attrs = std::mem::take(&mut call.attrs);
            let expr = Expr::Macro(syn::ExprMacro { attrs, mac: call.mac.clone() });
            *statement = Stmt::Expr(expr, call.semi_token);
        }
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Expr(expr, semi) => {
                let attribute = leftmost(expr).and_then(take_attribute);
                self.tail = tail && last && semi.is_none();
                let sight = match (self.tail, last, &semi) {
                    (true, ..) => Sight::Frame,
                    (false, false, None) => Sight::Nothing,
                    _ => unextended(expr),
                };
                self.expression(expr, attribute, sight, None);
            }
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    fn local(&mut self, local: &mut Local) {
        let attribute = take_attribute(&mut local.attrs);
        let Some(init) = &mut local.init else {
            if let Some(attribute) = attribute {
                let message = "there is no initialiser to make a span of; put the attribute on \
                               what gives the variable its value";
                self.errors.add(attribute, message);
            }
            return;
        };
        let ty = match &local.pat {
            Pat::Type(typed) => Some(&*typed.ty),
            _ => None,
        };
        let traced = attribute.is_some();
        let sight = sight(&init.expr);
        self.expression(&mut init.expr, attribute, sight, ty);
        if let Some((_, diverge)) = &mut init.diverge {
            self.visit_expr_mut(diverge);
            if traced {
                let (init, settle) = (&mut *init.expr, self.settle());
                *init = Expr::Verbatim(quote!((#init)));
                **diverge = parse_quote!({ #settle #diverge });
            }
        }
    }

    /// An expression with what is inside of it, as a span when it has the attribute.
    fn expression(
        &mut self,
        expr: &mut Expr,
        attribute: Option<Attribute>,
        sight: Sight,
        ty: Option<&Type>,
    ) {
        let span = attribute.and_then(|attribute| self.model(&attribute, expr));
        if span.is_some() {
            self.frame.asks |=
                may_leave(expr) || sight == Sight::Frame && self::sight(expr) != Sight::Nothing;
        }
        self.inside(expr);
        if let Some(span) = span {
            *expr = Expr::Verbatim(self.traced(&span, expr, sight, ty));
        }
    }

    fn model(&mut self, attribute: &Attribute, expr: &Expr) -> Option<Span> {
        let unnamed = |errors: &mut Errors| {
            errors.add(attribute, "a block has no name of its own; write `#[span(\"name\")]`");
            None
        };
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        self.attribute.get_or_insert_with(|| attribute.path().clone());
        let span = Span::new(tokens, unnamed, self.runtime, self.errors)?;
        if let Some(error_if) = &span.error_if
            && may_leave(tried(expr).unwrap_or(expr))
        {
            let message = "`error_if` cannot see an error that leaves by `?` or `return` from \
                           inside; put it on the function, or on a block whose value is the \
                           `Result`";
            self.errors.add(error_if, message);
            return None;
        }
        Some(span)
    }

    /// What is inside of an expression.
    fn inside(&mut self, expr: &mut Expr) {
        let tail = std::mem::take(&mut self.tail);
        let unsettled = self.unsettled;
        let body = match expr {
            Expr::Block(block) => return self.block(&mut block.block, tail),
            Expr::Unsafe(block) => return self.block(&mut block.block, tail),
            Expr::If(branch) => {
                self.visit_expr_mut(&mut branch.cond);
                self.block(&mut branch.then_branch, tail);
                if let Some((_, other)) = &mut branch.else_branch {
                    self.tail = tail;
                    self.visit_expr_mut(other);
                }
                return;
            }
            Expr::Match(branches) => {
                self.visit_expr_mut(&mut branches.expr);
                for arm in &mut branches.arms {
                    self.visit_pat_mut(&mut arm.pat);
                    self.tail = tail;
                    self.visit_expr_mut(&mut arm.body);
                }
                return;
            }
            Expr::Async(block) => {
                let (value, place) = (block_sight(&block.block), block.span());
                if let Some(frame) = self.in_frame(|within| within.block(&mut block.block, true)) {
                    *expr = self.async_frame(block, &frame.look(value, self.runtime, place));
                }
                return;
            }
            Expr::Closure(closure) => {
                let (value, place) = (sight(&closure.body), closure.span());
                let frame = self.in_frame(|within| {
                    within.tail = true;
                    within.visit_expr_mut(&mut closure.body);
                });
                if let Some(frame) = frame {
                    self.closure_frame(closure, &frame.look(value, self.runtime, place));
                }
                return;
            }
            Expr::Const(_) => return,
            Expr::ForLoop(iteration) => {
                self.visit_expr_mut(&mut iteration.expr);
                &mut iteration.body
            }
            Expr::While(iteration) => {
                self.visit_expr_mut(&mut iteration.cond);
                &mut iteration.body
            }
            Expr::Loop(iteration) => &mut iteration.body,
            other => return visit_expr_mut(self, other),
        };
        self.block(body, false);
        if self.unsettled > unsettled {
            body.stmts.insert(0, self.settle());
        }
    }

    /// Visits a frame of its own; `None` when there are no spans in it.
    fn in_frame(&mut self, visit: impl FnOnce(&mut Self)) -> Option<Frame> {
        let outer = std::mem::take(&mut self.frame);
        let unsettled = self.unsettled;
        visit(self);
        self.unsettled = unsettled;
        let frame = std::mem::replace(&mut self.frame, outer);
        frame.blocks.then_some(frame)
    }

    fn async_frame(&self, block: &ExprAsync, look: &TokenStream) -> Expr {
        let runtime = self.runtime;
        Expr::Verbatim(quote!(#runtime::__private::frame().follow(#block, #look)))
    }

    fn closure_frame(&self, closure: &mut ExprClosure, look: &TokenStream) {
        let runtime = self.runtime;
        let (body, output) = (&closure.body, &closure.output);
        let frame_body = match output {
            ReturnType::Default => quote!(#body),
            ReturnType::Type(..) => quote!({ #body }),
        };
        let body = if closure.asyncness.is_some() {
            quote!(#runtime::__private::frame().follow(async { #frame_body }, #look).await)
        } else {
            quote!(#runtime::__private::frame().run(|| #output #frame_body, #look))
        };
        *closure.body = Expr::Verbatim(quote!({ #body }));
    }

    /// The expression in its span.
    fn traced(&mut self, span: &Span, expr: &Expr, sight: Sight, ty: Option<&Type>) -> TokenStream {
        let tokens = expr.to_token_stream();
        let calls = has_call(&tokens);
        self.frame.blocks = true;
        self.frame.hides |= calls;
        if sight == Sight::Untouched || calls || mentions(&tokens, &["break", "continue"]) {
            self.unsettled += 1;
        }
        let runtime = &span.runtime;
        let start = span::start(span, None);
        let variable = Ident::new("block", Place::mixed_site());
        if !span.records_value()
            && span.error_if.is_none()
            && matches!(sight, Sight::Frame | Sight::Untouched)
        {
            return quote!({ let #variable = #start.block(); #tokens });
        }
        let value = value();
        let ty = ty.map(|ty| quote!(: #ty));
        let (before, tokens, look) = match (tried(expr), &span.error_if) {
            (Some(result), Some(error_if)) => {
                let expected = quote_spanned!(error_if.span()=> #runtime::__private::expected(&#value, #error_if));
                let before = quote! {
                    let #value = #result;
                    #variable.end_if(|| #expected);
                };
                (Some(before), quote!(#value?), span::look_at_success(span))
            }
            (Some(_), None) => (None, tokens, span::look_at_success(span)),
            (None, _) if sight == Sight::Nothing => (None, tokens, span::look_at_success(span)),
            (None, _) => (None, tokens, span::look(span)),
        };
        let mutable = before.is_some().then(|| quote!(mut));
        let look = look.closure(None, runtime, expr.span());
        quote!({
            let #mutable #variable = #start.block();
            #before
            let #value #ty = #tokens;
            #[allow(unreachable_code)]
            #variable.end(&#value, #look);
            #value
        })
    }

    fn settle(&self) -> Stmt {
        let runtime = self.runtime;
        parse_quote!(#[allow(unreachable_code)] #runtime::__private::settle();)
    }
}

impl Frame {
    /// How the frame looks at its value for the spans that end by it. A type that nothing makes
    /// known is not asked.
    fn look(&self, value: Sight, runtime: &Path, place: Place) -> TokenStream {
        let asks = self.asks || self.hides && value != Sight::Nothing;
        let look = if asks { Look::Typed } else { Look::Nothing };
        look.closure(None, runtime, place)
    }
}

/// How much the value of an expression that is not the frame's has to say.
fn sight(expr: &Expr) -> Sight {
    match expr {
        Expr::Array(_)
        | Expr::Cast(_)
        | Expr::Closure(_)
        | Expr::Lit(_)
        | Expr::Path(_)
        | Expr::Range(_)
        | Expr::Reference(_)
        | Expr::Repeat(_)
        | Expr::Struct(_)
        | Expr::Tuple(_) => Sight::Untouched,
        Expr::Assign(_)
        | Expr::Break(_)
        | Expr::Continue(_)
        | Expr::ForLoop(_)
        | Expr::Return(_)
        | Expr::Try(_)
        | Expr::While(_) => Sight::Nothing,
        Expr::Paren(inner) => sight(&inner.expr),
        Expr::Group(inner) => sight(&inner.expr),
        Expr::Block(block) => block_sight(&block.block),
        Expr::Unsafe(block) => block_sight(&block.block),
        Expr::If(branch) => match &branch.else_branch {
            None => Sight::Nothing,
            Some((_, other)) => either(block_sight(&branch.then_branch), sight(other)),
        },
        Expr::Match(branches) => {
            branches.arms.iter().map(|arm| sight(&arm.body)).fold(Sight::Nothing, either)
        }
        Expr::Macro(call) => macro_sight(&call.mac),
        _ => Sight::Value,
    }
}

/// As [`sight`], where nothing outlives the statement.
fn unextended(expr: &Expr) -> Sight {
    match sight(expr) {
        Sight::Untouched => Sight::Nothing,
        sight => sight,
    }
}

fn macro_sight(call: &Macro) -> Sight {
    let diverging = ["panic", "todo", "unimplemented", "unreachable"];
    let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    if diverging.contains(&name.as_str()) { Sight::Nothing } else { Sight::Value }
}

fn block_sight(block: &Block) -> Sight {
    match block.stmts.last() {
        Some(Stmt::Expr(expr, None)) => sight(expr),
        Some(Stmt::Macro(call)) if call.semi_token.is_none() => macro_sight(&call.mac),
        _ => Sight::Nothing,
    }
}

/// Of two branches, the one that says more.
fn either(one: Sight, other: Sight) -> Sight {
    if one == Sight::Nothing { other } else { one }
}

/// The operand of an expression that is all `?`.
fn tried(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Try(tried) => Some(&tried.expr),
        Expr::Paren(inner) => self::tried(&inner.expr),
        Expr::Group(inner) => self::tried(&inner.expr),
        _ => None,
    }
}

/// Whether an error may leave an expression other than as its value.
fn may_leave(expr: &Expr) -> bool {
    struct Exits(bool);
    impl<'ast> Visit<'ast> for Exits {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            match expr {
                Expr::Async(_) | Expr::Closure(_) | Expr::Const(_) => {}
                Expr::Try(_) | Expr::Return(_) | Expr::Macro(_) | Expr::Verbatim(_) => {
                    self.0 = true;
                }
                other => syn::visit::visit_expr(self, other),
            }
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut exits = Exits(false);
    exits.visit_expr(expr);
    exits.0
}

/// Whether a macro is called among these tokens, which may hide anything.
fn has_call(tokens: &TokenStream) -> bool {
    let mut after_word = false;
    tokens.clone().into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Punct(punct) => after_word && punct.as_char() == '!',
            TokenTree::Group(group) => has_call(&group.stream()),
            _ => false,
        };
        after_word = matches!(tree, TokenTree::Ident(_));
        found
    })
}

fn take_attribute(attributes: &mut Vec<Attribute>) -> Option<Attribute> {
    let index = attributes.iter().position(|attribute| ends_in(attribute, "span"))?;
    Some(attributes.remove(index))
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
