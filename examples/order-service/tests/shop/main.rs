//! The shop as its users start it, against a collector. Servers that the environment names
//! (`DATABASE_URL`, `REDIS_URL`, `KAFKA_BROKERS`) are used in place of those that it brings along.

mod shop;
mod text;

use std::sync::Arc;
use std::time::Duration;

use shop::Shop;
use tokio::sync::mpsc;

#[tokio::test]
async fn an_order_is_one_trace_through_every_hop() {
    let shop = Shop::start(&["--workers", "2"], &[]);
    let (status, placed) = shop.place(1).await;
    assert_eq!(status, 202, "{placed}");
    let trace = placed["trace_id"].as_str().expect("an id").to_owned();
    shop.wait_for(&trace, &["process picking", "process order-placed"]);

    let ended = shop.stop();
    let tree = ended.collector.outline(&trace).expect("a trace");
    assert_eq!(text::without_what_varies(&tree), text::TREE.replace("DB", text::database()));
    let traces = ended.collector.traces();
    let [beside] = &traces.iter().filter(|other| **other != trace).collect::<Vec<_>>()[..] else {
        panic!("one trace beside it: {traces:?}");
    };
    let batch = &ended.collector.spans(beside)[0].data;
    assert_eq!(batch.name, "ack picking");
    assert_eq!(batch.links[0].span_context.trace_id().to_string(), trace);
    for line in ["order 1 is paid for", "order 1 is placed", "order 1 is packed", "is told"] {
        let line = ended.said.lines().find(|said| said.contains(line)).expect(line);
        assert!(line.contains(&trace), "{line}");
    }
}

#[tokio::test]
async fn what_fails_is_marked() {
    let shop = Shop::start(&[], &[]);
    for (order, status) in [(2, 409), (3, 402), (9, 404)] {
        assert_eq!(shop.place(order).await.0, status);
    }
    let ended = shop.stop();
    // A 4xx is not an error of the server that says it.
    let failed = ended.traces().map(|tree| text::failed(&tree));
    assert_eq!(failed.collect::<Vec<_>>(), ["reserve", "POST /charges [client], charge", ""]);

    let shop = Shop::start(&[], &[("PAYMENTS_URL", "http://127.0.0.1:1")]);
    assert_eq!(shop.place(1).await.0, 502);
    let ended = shop.stop();
    let failed = ended.traces().map(|tree| text::failed(&tree));
    assert_eq!(
        failed.collect::<Vec<_>>(),
        ["POST /orders/{id}/checkout [server], checkout, POST /charges [client]"]
    );
}

#[tokio::test]
async fn errors_are_kept_though_nothing_is_sampled() {
    let shop = Shop::start(&[], &[("OTEL_SAMPLE_RATE", "0")]);
    assert_eq!(shop.place(1).await.0, 202);
    assert_eq!(shop.place(2).await.0, 409);
    let ended = shop.stop();
    let trees: Vec<_> = ended.traces().collect();
    let [tree] = &trees[..] else { panic!("one trace: {trees:?}") };
    assert!(tree.starts_with("POST /orders/{id}/checkout [server]"), "all of it: {tree}");
    assert_eq!(text::failed(tree), "reserve");
}

#[tokio::test]
async fn no_span_is_lost_when_it_is_told_to_stop() {
    let shop = Arc::new(Shop::start(&["--workers", "2"], &[]));
    let (answered, mut answers) = mpsc::unbounded_channel();
    for _ in 0..20 {
        let (shop, answered) = (shop.clone(), answered.clone());
        tokio::spawn(async move {
            while let Some(answer) = shop.try_place(1).await {
                answered.send(answer).expect("somebody listens");
            }
        });
    }
    drop(answered);
    let mut traces = Vec::new();
    while let Some((status, placed)) = answers.recv().await {
        assert_eq!(status, 202, "{placed}");
        traces.push(placed["trace_id"].as_str().expect("an id").to_owned());
        if traces.len() == 100 {
            shop.tell_to_stop();
        }
    }
    let ended = Arc::into_inner(shop).expect("the only one").end();
    assert!(!ended.said.contains("lost"), "{}", ended.said);
    println!("{} orders were placed", traces.len());
    for trace in &traces {
        let spans = ended.collector.spans(trace);
        let of = |service| spans.iter().filter(|span| span.service == service).count();
        assert_eq!((of("orders"), of("payments")), (8, 2), "{trace}");
    }
    // What came of orders that nobody was told of is whole, too.
    for trace in ended.collector.traces() {
        let spans = ended.collector.spans(&trace);
        let ids: Vec<_> = spans.iter().map(|span| span.data.span_context.span_id()).collect();
        let orphans = spans.iter().filter(|span| !ids.contains(&span.data.parent_span_id));
        assert_eq!(orphans.count(), 1, "only the first has no parent: {trace}");
    }
}

/// How long a shop may take for anything.
const PATIENCE: Duration = Duration::from_mins(1);
