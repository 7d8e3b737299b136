//! The steps from a plain struct to a recorder, each doing the works of the benches.

use std::fmt::Debug;
use std::future::poll_fn;
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::pin;

use super::clock::{Clock, Counter, System};
use super::current::{Aside, Current, InContext, Named, NamedSlot, Slot, UntilDropped};
use super::export::Discarding;
use super::fields::{Encoded, Fields, Values};
use super::span::{Data, Dropped, End, Written};
use crate::peers::{KEYS, Peer, SetUp, State, Work, block_on, polled};

pub(crate) trait Step: Debug + Send + Sync + 'static {
    const NAME: &'static str;
    type Clock: Clock;
    type Fields: Fields;
    type Current: Current<Self::Clock, Self::Fields, Self::End>;
    type End: End;
}

macro_rules! steps {
    ($($step:ident: $name:literal, $clock:ident, $fields:ident, $current:ident, $end:ident;)*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $step;

            impl Step for $step {
                const NAME: &'static str = $name;
                type Clock = $clock;
                type Fields = $fields;
                type Current = $current;
                type End = $end;
            }
        )*

        pub(crate) const ALL: [&dyn Peer; [$($name),*].len()] =
            [$(&Own::<$step>(PhantomData)),*];
    };
}

steps! {
    Plain: "not attached: a struct, the system's clock, values", System, Values, Aside, Dropped;
    Counted: "… the time-stamp counter", Counter, Values, Aside, Dropped;
    Bare: "… attributes as bytes", Counter, Encoded, Aside, Dropped;
    AsideWritten: "not attached, written", Counter, Encoded, Aside, Written;
    NamedDropped: "a `SpanContext` attached", Counter, Encoded, Named, Dropped;
    NamedWritten: "… written", Counter, Encoded, Named, Written;
    WholeDropped: "the `Span` attached", Counter, Encoded, InContext, Dropped;
    UntilDroppedWritten: "… written, ended by a drop", Counter, Encoded, UntilDropped, Written;
    WholeWritten: "… written, ended through its `Context`", Counter, Encoded, InContext, Written;
    WholeSystemWritten: "… with the system's clock", System, Encoded, InContext, Written;
    Slotted: "in a slot, a handle attached, written", Counter, Encoded, Slot, Written;
    NamedSlotted: "… a `SpanContext` attached", Counter, Encoded, NamedSlot, Written;
}

pub(crate) struct Own<S>(PhantomData<S>);

impl<S: Step> Peer for Own<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn set_up(&self, _state: State, _queue: usize) -> Option<SetUp> {
        Some(Box::new(Discarding::start()))
    }

    fn work(&self, work: Work) -> bool {
        match work {
            Work::Tree => tree::<S>(),
            Work::Depth50 => deep::<S>(black_box(50)),
            Work::Poll1 => block_on(polls::<S>(black_box(1))),
            Work::Poll10 => block_on(polls::<S>(black_box(10))),
            Work::Attributes20 => twenty::<S>(black_box(7)),
            Work::Error | Work::Success | Work::Threads8 => return false,
        }
        true
    }
}

type Held<S> = <<S as Step>::Current as Current<
    <S as Step>::Clock,
    <S as Step>::Fields,
    <S as Step>::End,
>>::Held;

#[inline]
pub(crate) fn start<S: Step>(name: &'static str, set: impl FnOnce(&mut S::Fields)) -> Held<S> {
    let mut data = Data::begin(name, S::Current::parent());
    set(&mut data.fields);
    S::Current::hold(data)
}

#[inline]
pub(crate) fn run<S: Step, T>(held: Held<S>, body: impl FnOnce() -> T) -> T {
    S::Current::run(held, body)
}

pub(crate) async fn follow<S: Step, T>(held: Held<S>, body: impl Future<Output = T>) -> T {
    let mut body = pin!(body);
    let value = poll_fn(|task| S::Current::within(&held, || body.as_mut().poll(task))).await;
    S::Current::end(held);
    value
}

pub(crate) fn tree<S: Step>() {
    let span = start::<S>("root", |fields| {
        fields.integer("number", 0);
        fields.text("text", "root");
    });
    run::<S, _>(span, || {
        for number in 0..10 {
            child::<S>(black_box(number), black_box("child"));
        }
    });
}

#[inline(never)]
fn child<S: Step>(number: i64, text: &str) {
    let span = start::<S>("child", |fields| {
        fields.integer("number", number);
        fields.text("text", text);
    });
    run::<S, _>(span, || {
        black_box((number, text));
    });
}

fn deep<S: Step>(left: u32) {
    run::<S, _>(start::<S>("deep", |_| ()), || {
        if left > 1 {
            deep::<S>(left - 1);
        }
        black_box(left);
    });
}

async fn polls<S: Step>(times: u32) {
    follow::<S, _>(start::<S>("polls", |_| ()), polled(times)).await;
}

fn twenty<S: Step>(n: i64) {
    let span = start::<S>("twenty", |fields| {
        for key in KEYS {
            fields.integer(key, n);
        }
    });
    run::<S, _>(span, || {
        black_box(n);
    });
}
