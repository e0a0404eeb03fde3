//! Reads `table.txt`.

use std::{collections::BTreeMap, fmt};

/// What somebody is to the things that the rows name, and the letters of its principals in their order.
pub(super) const GROUPS: &[(&str, &str)] = &[
    ("the vendor", "acsurmp"),
    ("the distributor", "aprrmp"),
    ("the provider", "fprrmp"),
    ("the provider's site", "lrmp"),
    ("another site", "lrmp"),
    ("the company", "v"),
    ("another company", "v"),
    ("a sibling", "fplrvrmp"),
    ("a stranger", "fplrvrmp"),
    ("another distributor", "aprrmp"),
];

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Neither 401, 403 nor 404.
    Allowed,
    /// 403.
    Forbidden,
    /// 404, as for what does not exist.
    NotFound,
}

impl Expected {
    pub(super) fn of(letter: char) -> Self {
        match letter {
            '+' => Self::Allowed,
            '-' => Self::Forbidden,
            '.' => Self::NotFound,
            other => panic!("`{other}` is none of + - ."),
        }
    }
    pub(super) fn letter(status: u16) -> char {
        match status {
            403 => '-',
            404 => '.',
            401 => '!',
            500.. => '?',
            _ => '+',
        }
    }
}

/// A row of the table.
pub(super) struct Row {
    /// As `POST`.
    pub(super) method: String,
    /// With `{parameter=thing}` and a query, as it stands in the table.
    path: String,
    /// JSON with `{thing}`s; empty for none.
    body: String,
    /// An expectation for each principal of each group; none where anybody may, also nobody.
    pub(super) expected: Option<Vec<Vec<Expected>>>,
}

/// A request of a row with things put in.
pub(super) struct Filled {
    pub(super) path: String,
    pub(super) body: Option<serde_json::Value>,
    /// Sent where the operation takes `If-Match`.
    pub(super) tag: Option<String>,
}

impl Row {
    /// As the OpenAPI document calls the operation.
    pub(super) fn operation(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut plain = String::new();
        for part in path.split_inclusive(['{', '}']) {
            let name = part.strip_suffix('}').map(|inner| inner.split('=').next().unwrap_or_default());
            plain.push_str(&name.map_or_else(|| part.to_owned(), |name| format!("{name}}}")));
        }
        format!("{} {plain}", self.method)
    }

    /// Names of the things that the row puts in, and whether each stands in the path or query.
    pub(super) fn things(&self) -> Vec<(String, bool)> {
        let in_path = braced(&self.path).map(|name| (thing(name), true));
        let in_body = self.body.split('"').filter_map(|text| text.strip_prefix('{')?.strip_suffix('}'));
        let in_body = in_body.filter(|name| !name.is_empty());
        in_path.chain(in_body.map(|name| (name.to_owned(), false))).collect()
    }

    /// The request with things put in; `of` gives the value of a thing.
    pub(super) fn fill(&self, of: &dyn Fn(&str) -> Option<String>) -> Filled {
        let wanted = |name: &str| of(name).unwrap_or_else(|| panic!("{}: the scene has no `{name}`", self.path));
        let mut path = self.path.clone();
        // What there is once, as the policy, is named as it is.
        let mut tag = (!path.contains('{')).then(|| "*".to_owned());
        for name in braced(&self.path).collect::<Vec<_>>() {
            let thing = thing(name);
            tag = of(&format!("{thing}-tag")).or(tag);
            path = path.replacen(&format!("{{{name}}}"), &wanted(&thing), 1);
        }
        let mut body = self.body.clone();
        for (name, in_path) in self.things() {
            if !in_path {
                body = body.replace(&format!("{{{name}}}"), &wanted(&name));
            }
        }
        let body = (!body.is_empty()).then(|| serde_json::from_str(&body).unwrap_or_else(|e| panic!("{body}: {e}")));
        Filled { path, body, tag }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

fn braced(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next())
}

fn thing(name: &str) -> String {
    name.split('=').next_back().unwrap_or_default().to_owned()
}

/// All rows in their order.
pub(super) fn rows() -> Vec<Row> {
    let lines = include_str!("table.txt").lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut rows: Vec<Row> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            let row = rows.last_mut().expect("an operation stands above its line");
            row.expected = (line.trim() != "anybody").then(|| expected(line));
        } else {
            let mut parts = line.splitn(3, ' ');
            let mut next = || parts.next().unwrap_or_default().trim().to_owned();
            rows.push(Row { method: next(), path: next(), body: next(), expected: Some(Vec::new()) });
        }
    }
    rows
}

fn expected(line: &str) -> Vec<Vec<Expected>> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(columns.len(), GROUPS.len(), "a line has a column for each group: {line}");
    let column = |(text, (name, letters)): (&&str, &(&str, &str))| {
        let found: Vec<Expected> = text.chars().filter(|each| *each != '/').map(Expected::of).collect();
        if let [every] = found[..] {
            return vec![every; letters.len()];
        }
        assert_eq!(found.len(), letters.len(), "{name} has {letters}, but the line says {text}");
        found
    };
    columns.iter().zip(GROUPS).map(column).collect()
}

/// What was found instead, in the table's form.
pub(super) fn line(found: &BTreeMap<usize, String>) -> String {
    let column = |(group, letters): (&usize, &String)| {
        let first = letters.chars().next().unwrap_or_default();
        if letters.chars().all(|each| each == first) {
            return first.to_string();
        }
        let people = GROUPS[*group].1.find("rmp").unwrap_or(letters.len());
        format!("{}/{}", &letters[..people], &letters[people..])
    };
    let width = |(group, _): &(&usize, &String)| GROUPS[**group].1.len() + 1;
    let columns = found.iter().map(|entry| format!("{:width$}", column(entry), width = width(&entry)));
    format!("    {}", columns.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
}
