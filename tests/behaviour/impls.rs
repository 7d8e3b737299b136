//! `#[span]` on whole `impl` blocks.

use std::fmt;

use crate::recorder::{record, record_async};
use async_trait::async_trait;
use spandrel::{propagate, span};

struct Cache<T> {
    values: Vec<T>,
}

#[span]
impl<T: Clone + Send + Sync> Cache<T>
where
    T: PartialEq,
{
    /// How many there may be.
    const LIMIT: usize = 2;

    fn new() -> Self {
        Self { values: Vec::new() }
    }

    fn insert(&mut self, value: T) -> Result<usize, String> {
        if self.is_full() {
            return Err("full".to_owned());
        }
        self.values.push(value);
        Ok(self.len())
    }

    async fn first(&self) -> Option<T> {
        #[span("look")]
        let first = self.values.first().cloned();
        first
    }

    #[span("own name", kind(internal), length = self.values.len())]
    pub(crate) fn named(&self) {}

    #[span(kind(server))]
    fn unnamed(self) -> Vec<T> {
        self.values
    }

    #[span(skip)]
    const fn is_full(&self) -> bool {
        self.values.len() >= Self::LIMIT
    }

    #[span(skip)]
    fn len(&self) -> usize {
        #[span("inside")]
        let length = self.values.len();
        length
    }

    #[propagate(headers)]
    fn continued(headers: &[(&str, &str)]) {}
}

#[tokio::test]
async fn every_method_is_a_span() {
    let recording = record_async(async {
        let mut cache = Cache::new();
        assert_eq!(cache.insert(1), Ok(1));
        cache.insert(2).expect("there is room");
        cache.insert(3).expect_err("there is no room");
        assert_eq!(cache.first().await, Some(1));
        cache.named();
        assert_eq!(cache.unnamed(), [1, 2]);
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        Cache::<u32>::continued(&[("traceparent", parent)]);
    })
    .await;
    let full = "error.type=\"alloc::string::String\" ✗ full\n  • exception \
                exception.type=\"alloc::string::String\" exception.message=\"full\"\n";
    let tree = format!(
        "Cache::new\nCache::insert\n└─ inside\nCache::insert\n└─ inside\nCache::insert {full}\
         Cache::first\n└─ look\nown name length=2\nCache::unnamed [server]\nCache::continued\n"
    );
    assert_eq!(recording.to_string(), tree);
    let continued = recording.spans().last().expect("the last span");
    assert_eq!(continued.parent_span_id.to_string(), "b7ad6b7169203331");
}

trait Store {
    fn get(&self) -> u32;
    fn set(&mut self, value: u32);
}

#[span(kind(client), db.system.name = "memory")]
impl Store for Cache<u32> {
    fn get(&self) -> u32 {
        self.values[0]
    }

    fn set(&mut self, #[record] value: u32) {
        self.values = vec![value];
    }
}

#[span("Shared")]
impl fmt::Display for &Cache<u8> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.values)
    }
}

#[async_trait]
trait Fetch {
    async fn fetch(&self, key: u32) -> Result<u32, String>;
}

#[async_trait]
#[span]
impl Fetch for Cache<u32> {
    async fn fetch(&self, #[record] key: u32) -> Result<u32, String> {
        tokio::task::yield_now().await;
        self.values.get(key as usize).copied().ok_or_else(|| "nothing".to_owned())
    }
}

#[span]
#[async_trait]
impl Fetch for Cache<u8> {
    #[span("above", key = key, length = self.values.len())]
    async fn fetch(&self, key: u32) -> Result<u32, String> {
        Ok(key)
    }
}

#[tokio::test]
async fn trait_implementations_are_too() {
    let mut cache = Cache { values: vec![0] };
    let recording = record(|| {
        cache.set(3);
        assert_eq!(cache.get(), 3);
        assert_eq!((&Cache { values: vec![1_u8] }).to_string(), "[1]");
    });
    let db = "db.system.name=\"memory\"";
    assert_eq!(
        recording.to_string(),
        format!("Cache::set [client] {db} value=3\nCache::get [client] {db}\nShared::fmt\n")
    );
    let recording = record_async(async {
        assert_eq!(cache.fetch(0).await, Ok(3));
        assert_eq!(Cache { values: vec![1_u8] }.fetch(1).await, Ok(1));
    })
    .await;
    assert_eq!(recording.to_string(), "Cache::fetch key=0\nabove key=1 length=1\n");
}
