//! The page of the guide has the recipes that are tested here.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_the_guide_has_the_recipes() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../../runtime/docs/guide/http.md")).expect("the page");
    for recipe in fs::read_dir(here.join("recipes")).expect("the recipes") {
        let path = recipe.expect("a file").path();
        let code = fs::read_to_string(&path).expect("text").replace("pub(crate) ", "");
        assert!(
            page.contains(code.trim()),
            "{} is not in the page as it is tested",
            path.display()
        );
    }
}
