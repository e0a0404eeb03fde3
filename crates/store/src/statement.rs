//! Statements: every SQL text of the program, by name, one text for both engines wherever they agree.

use crate::Engine;

/// One SQL statement. Parameters are `$1`, `$2`, … on both engines.
#[derive(Debug)]
pub struct Statement {
    /// Module path and constant name; what errors and logs say.
    pub name: &'static str,
    /// The text, for SQLite and, unless `pg` is given, for PostgreSQL.
    pub sql: &'static str,
    /// PostgreSQL's text, where the engines differ.
    pub pg: Option<&'static str>,
}

impl Statement {
    /// The text for an engine.
    pub fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sql,
            Engine::Postgres => self.pg.unwrap_or(self.sql),
        }
    }

    /// The highest `$n` of the text.
    pub(crate) fn arity(&self, engine: Engine) -> usize {
        let text = self.text(engine).as_bytes();
        let mut highest = 0;
        for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'$') {
            let digits = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit());
            highest = highest.max(digits.fold(0, |n, digit| n * 10 + usize::from(digit - b'0')));
        }
        highest
    }
}

/// Declares a file's statements and collects them in `STATEMENTS` for the registry and its prepare test.
///
/// ```text
/// statements! {
///     /// Why it is as it is.
///     FIND = "SELECT id, name FROM company WHERE id = $1";
///     LOCK = "SELECT id FROM company WHERE id = $1", pg "SELECT id FROM company WHERE id = $1 FOR UPDATE";
/// }
/// ```
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr $(, pg $pg:expr)? ;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: $crate::Statement = $crate::Statement {
                name: concat!(module_path!(), "::", stringify!($name)),
                sql: $sql,
                pg: $crate::statement::statements!(@pg $($pg)?),
            };
        )*
        pub(crate) static STATEMENTS: &[&$crate::Statement] = &[$(&$name),*];
    };
    (@pg $pg:expr) => { Some($pg) };
    (@pg) => { None };
}
pub(crate) use statements;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arity_is_the_highest_number() {
        let statement = Statement { name: "t", sql: "SELECT $2, $1, $12", pg: Some("SELECT 1") };
        assert_eq!((statement.arity(Engine::Sqlite), statement.arity(Engine::Postgres)), (12, 0));
    }
}
