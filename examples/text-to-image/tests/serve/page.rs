//! The page, in Chromium: `./page.sh`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::process::Server;

/// `chromedriver`, on a free port.
struct Driver(Child, String);

impl Driver {
    fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is installed");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let ready = "ChromeDriver was started successfully on port ";
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix(ready)?.trim_end_matches('.').to_owned()));
        Self(driver, format!("http://127.0.0.1:{}", port.expect("it says its port")))
    }

    async fn browser(&self) -> Client {
        let arguments = ["--headless", "--no-sandbox", "--window-size=900,900"];
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        let capabilities = options.as_object().unwrap().clone();
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.1)
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn draw(browser: &Client, prompt: &str) {
    let field = browser.find(Locator::Id("prompt")).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(prompt).await.unwrap();
    browser.find(Locator::Id("draw")).await.unwrap().click().await.unwrap();
    let done = browser.wait().at_most(Duration::from_mins(1));
    done.for_element(Locator::Css("#draw:not(:disabled)")).await.unwrap();
}

async fn text(browser: &Client, selector: &str) -> String {
    browser.find(Locator::Css(selector)).await.unwrap().text().await.unwrap()
}

#[tokio::test]
#[ignore = "needs Chromium, see page.sh"]
async fn a_prompt_is_typed_and_the_picture_comes_with_its_waterfall() {
    let server = Server::start(&[], None);
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&server.address).await.unwrap();

    draw(&browser, "red heart").await;
    let picture = browser.find(Locator::Id("picture")).await.unwrap();
    assert!(picture.is_displayed().await.unwrap());
    assert_eq!(picture.attr("alt").await.unwrap().as_deref(), Some("red heart"));
    let width = "return document.getElementById('picture').naturalWidth";
    assert_eq!(browser.execute(width, vec![]).await.unwrap(), json!(256));
    let rows = browser.find_all(Locator::Css("#trace tbody tr")).await.unwrap();
    let names = text(&browser, "#trace tbody").await;
    assert_eq!(rows.len(), 5 + 2 + 20, "{names}");
    assert!(names.starts_with("POST /v1/images"), "{names}");
    assert!(text(&browser, "#trace caption").await.starts_with("trace "));
    if let Ok(path) = std::env::var("SCREENSHOT") {
        std::fs::write(Path::new(&path), browser.screenshot().await.unwrap()).unwrap();
    }

    draw(&browser, "xyzzy").await;
    let said = text(&browser, "#said.failed").await;
    assert!(said.starts_with("no word of `xyzzy` is known"), "{said}");
    assert!(!picture.is_displayed().await.unwrap());
    // The request was wrong, and the server was not.
    assert!(text(&browser, "#trace tbody").await.starts_with("POST /v1/images"));
    let failed = browser.find_all(Locator::Css("#trace tbody tr.failed")).await.unwrap();
    assert_eq!(failed.len(), 0);

    server.stop();
    draw(&browser, "pizza").await;
    let said = text(&browser, "#said.failed").await;
    assert_eq!(said, "the server does not answer; is it still running?");
    browser.close().await.unwrap();
}
