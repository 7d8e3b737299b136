//! What the compiler says to mistakes: one cause a file, its message beside it.

mod without_cargo;

use std::fs;

#[test]
fn mistakes_are_told_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*.rs");
    cases.pass("pass/*.rs");
}

#[test]
fn messages_name_nothing_private() {
    for entry in fs::read_dir("fail").expect("the cases") {
        let path = entry.expect("a case").path();
        let text = fs::read_to_string(&path).expect("text");
        assert!(!text.contains("__private"), "{}", path.display());
    }
}
