//! Trees as text.

/// The trace of an order that goes well.
pub(crate) const TREE: &str = include_str!("tree.txt");

/// What the database is called on spans.
pub(crate) fn database() -> &'static str {
    match std::env::var("DATABASE_URL") {
        Ok(url) if url.starts_with("postgres") => "postgresql",
        _ => "sqlite",
    }
}

/// A tree without ports, and without the ids of messages.
pub(crate) fn without_what_varies(tree: &str) -> String {
    let tree = replaced(tree, "127.0.0.1:", "/", "PORT");
    let tree = replaced(&tree, "server.port=", " ", "PORT");
    replaced(&tree, "messaging.message.id=\"", "\"", "ID")
}

/// With a word in place of what is between these.
fn replaced(text: &str, before: &str, after: &str, word: &str) -> String {
    let mut parts = text.split(before);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(after).unwrap_or(part.len());
        text.extend([before, word, &part[end..]]);
    }
    text
}

/// The names of the spans that are marked, and their kinds.
pub(crate) fn failed(tree: &str) -> String {
    let failed = tree.lines().filter(|line| line.contains('✗')).map(|line| {
        let words = line.trim_start_matches(['│', '├', '└', '─', ' ']).split(' ');
        words.take_while(|word| !word.contains('=')).collect::<Vec<_>>().join(" ")
    });
    failed.collect::<Vec<_>>().join(", ")
}
