//! What each file of a crate imports, outside of its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, File, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

/// Modules, with those that they import. A module is a file: `span::scope`, or `span` for `span/mod.rs`.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of the files in a folder of the repository.
pub(crate) fn imports(folder: &str) -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut files = BTreeMap::new();
    find(&root, &root, &mut files);
    let read = |(module, file): (&String, &PathBuf)| {
        let text = fs::read_to_string(file).expect("a file of the crate");
        let file: File = syn::parse_str(&text).expect("Rust");
        let mut found = Found { module: path(module), ..Found::default() };
        found.visit_file(&file);
        (module.clone(), found)
    };
    let found: BTreeMap<String, Found> = files.iter().map(read).collect();
    let of = |(module, file): (&String, &Found)| {
        let imported = file.paths.iter().map(|path| defining_file(path, &found));
        let imported: BTreeSet<String> = imported.filter(|other| other != module).collect();
        (module.clone(), imported)
    };
    found.iter().map(of).collect()
}

/// The files that are not tests' own, by module.
fn find(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the crate") {
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
        let is_test =
            ["tests", "test_spans", "mistakes", "editor"].iter().any(|end| module.ends_with(end));
        if !is_test {
            files.insert(module, path);
        }
    }
}

fn path(module: &str) -> Vec<String> {
    module.split("::").map(str::to_owned).collect()
}

/// The file that defines what a path leads to, through any number of re-exports.
fn defining_file(path: &[String], files: &BTreeMap<String, Found>) -> String {
    let is_file = |length: &usize| files.contains_key(&path[..*length].join("::"));
    let Some(length) = (1..=path.len()).rev().find(is_file) else { return "lib".to_owned() };
    let module = path[..length].join("::");
    let exported = path.get(length).and_then(|name| files[&module].exports.get(name));
    exported.map_or(module, |exported| {
        let rest = path.get(length + 1..).unwrap_or_default();
        defining_file(&[exported, rest].concat(), files)
    })
}

/// What was found in a file.
#[derive(Default)]
struct Found {
    /// Where its paths start.
    module: Vec<String>,
    paths: Vec<Vec<String>>,
    /// The modules that it declares.
    children: BTreeSet<String>,
    /// What it re-exports, by name.
    exports: BTreeMap<String, Vec<String>>,
}

impl Found {
    /// The path as it is from the root of the crate; `None` if it leads to another crate.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.module[..], rest].concat()),
            child if self.children.contains(child) => Some([&self.module[..], path].concat()),
            "super" => {
                let above = path.iter().take_while(|part| *part == "super").count();
                let module = self.module.get(..self.module.len().checked_sub(above)?)?;
                Some([module, &path[above..]].concat())
            }
            _ => None,
        }
    }

    /// The paths of a `use`, each with the name that it is known by.
    fn tree(&self, before: &[String], tree: &UseTree, found: &mut Vec<(String, Vec<String>)>) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            UseTree::Path(path) => return self.tree(&with(&path.ident), &path.tree, found),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(before, tree, found));
            }
            UseTree::Name(name) if name.ident == "self" => {
                (before[before.len() - 1].clone(), before.to_vec())
            }
            UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(name) => (name.rename.to_string(), with(&name.ident)),
            UseTree::Glob(_) => ("*".to_owned(), before.to_vec()),
        };
        found.extend(self.resolve(&path).map(|path| (name, path)));
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

    fn visit_file(&mut self, file: &'ast File) {
        let modules = file.items.iter().filter_map(|item| match item {
            Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
            _ => None,
        });
        self.children.extend(modules);
        syn::visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut found = Vec::new();
        self.tree(&[], &item.tree, &mut found);
        match item.vis {
            Visibility::Inherited => self.paths.extend(found.into_iter().map(|(_, path)| path)),
            // A re-export is no import: whoever uses it imports what is behind it.
            _ => self.exports.extend(found),
        }
    }

    /// Who may see an item is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.paths.extend(self.resolve(&names).filter(|_| names.len() > 1));
        syn::visit::visit_path(self, path);
    }
}
