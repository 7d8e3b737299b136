//! What each file of the runtime imports, outside of its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, File, Item, ItemMod, ItemUse, Meta, UseTree};

/// Modules, with those that they import. A module is a file: `span::scope`, or `span` for `span/mod.rs`.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn imports() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src");
    let mut files = BTreeMap::new();
    find(&root, &root, &mut files);
    let modules: BTreeSet<&String> = files.keys().collect();
    let of = |(module, file): (&String, &PathBuf)| {
        let text = fs::read_to_string(file).expect("a file of the runtime");
        let file: File = syn::parse_str(&text).expect("Rust");
        let mut found = Found { module: path(module), paths: Vec::new() };
        found.visit_file(&file);
        let imported = found.paths.iter().map(|path| file_of(path, &modules));
        let imported: BTreeSet<String> = imported.filter(|other| other != module).collect();
        (module.clone(), imported)
    };
    files.iter().map(of).collect()
}

/// The files that are not tests' own, by module.
fn find(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the runtime") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(root, &path, files);
            continue;
        }
        let name = path.strip_prefix(root).expect("it is in there").with_extension("");
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let module = match &parts[..] {
            [folders @ .., last] if last == "mod" => folders.join("::"),
            parts => parts.join("::"),
        };
        let is_test = module.ends_with("tests") || module.ends_with("test_spans");
        if !is_test {
            files.insert(module, path);
        }
    }
}

fn path(module: &str) -> Vec<String> {
    module.split("::").map(str::to_owned).collect()
}

/// The file that a path leads into.
fn file_of(path: &[String], modules: &BTreeSet<&String>) -> String {
    let of = |length: &usize| modules.contains(&path[..*length].join("::"));
    let length = (1..=path.len()).rev().find(of);
    length.map_or_else(|| "lib".to_owned(), |length| path[..length].join("::"))
}

/// What was found in a file.
struct Found {
    /// Where its paths start.
    module: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Found {
    /// The path as it is from the root of the crate; `None` if it leads to another crate.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.module[..], rest].concat()),
            "super" => {
                let above = path.iter().take_while(|part| *part == "super").count();
                let module = self.module.get(..self.module.len().checked_sub(above)?)?;
                Some([module, &path[above..]].concat())
            }
            _ => None,
        }
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.paths.extend(self.resolve(&with(&name.ident))),
            UseTree::Rename(name) => self.paths.extend(self.resolve(&with(&name.ident))),
            UseTree::Glob(_) => self.paths.extend(self.resolve(before)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition.contains("test") && !condition.contains("not")
        }
        _ => false,
    })
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.paths.extend(self.resolve(&names).filter(|_| names.len() > 1));
        syn::visit::visit_path(self, path);
    }
}
