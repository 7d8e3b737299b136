use spandrel::span;

struct Store;

impl Store {
    #[span(name = "load", level = "info", target = "store", skip(self), fields(id = id), err, ret)]
    fn load(&self, id: u32) -> Result<u32, String> {
        Ok(id)
    }

    #[span("find", skip_all, err(Debug), follows_from = [1], id, %id, self.id)]
    fn find(&self, id: u32) {}
}

fn main() {}
