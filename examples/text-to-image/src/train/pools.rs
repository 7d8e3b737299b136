use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

/// A pool of one thread for each share of a step: small operations gain
/// little from two threads, but two shares of a batch gain all of it.
pub(super) struct Pools(Vec<ThreadPool>);

impl Pools {
    pub(super) fn new(count: usize) -> Result<Self, Error> {
        let failed = |error: rayon::ThreadPoolBuildError| Error::Device(error.to_string());
        let pools = (0..count.max(1)).map(|_| ThreadPoolBuilder::new().num_threads(1).build());
        Ok(Self(pools.collect::<Result<_, _>>().map_err(failed)?))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Runs the work once in each pool, with the number of the pool.
    pub(super) fn run<T: Send>(&self, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let mut results: Vec<Option<T>> = self.0.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            for (index, (pool, result)) in self.0.iter().zip(&mut results).enumerate() {
                let work = &work;
                scope.spawn(move || *result = Some(pool.install(|| work(index))));
            }
        });
        results.into_iter().flatten().collect()
    }
}
