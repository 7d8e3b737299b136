use spandrel::span;

struct Store(Option<String>);

impl Store {
    #[span]
    fn load(&self) -> &str {
        #[span("name")]
        let Some(ref name) = self.0 else { return "" };
        name
    }
}

fn main() {}
