//! When two companies of a provider are taken for one, and which of them is kept.

use std::collections::BTreeMap;

/// Companies that carry one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namesakes<T> {
    /// The one to keep: it holds the most licenses; of several, the one that was added first.
    pub keep: T,
    /// The others, in the order they were added.
    pub others: Vec<T>,
}

/// A name as names are compared: in lower case, letters and digits only, so that `Contoso AG` is `contoso-ag`.
pub fn folded(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Companies with one name, of companies in the order they were added, each with its name and how many licenses it holds.
/// A name without a letter or digit is nobody's.
pub fn namesakes<'a, T>(companies: impl IntoIterator<Item = (T, &'a str, u64)>) -> Vec<Namesakes<T>> {
    let mut names: BTreeMap<String, Vec<(T, u64)>> = BTreeMap::new();
    for (company, name, licenses) in companies {
        names.entry(folded(name)).or_default().push((company, licenses));
    }
    names.remove("");
    names.into_values().filter_map(split).collect()
}

fn split<T>(mut group: Vec<(T, u64)>) -> Option<Namesakes<T>> {
    let most = group.iter().map(|(_, licenses)| *licenses).max()?;
    let keep = group.iter().position(|(_, licenses)| *licenses == most)?;
    let (keep, _) = group.remove(keep);
    let others: Vec<T> = group.into_iter().map(|(company, _)| company).collect();
    (!others.is_empty()).then_some(Namesakes { keep, others })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_company_and_the_one_with_the_most_licenses_is_kept() {
        let companies = [
            (1, "Contoso AG", 0),
            (2, "Fabrikam", 3),
            (3, "contoso-ag ", 2),
            (4, "CONTOSO  AG", 2),
            (5, "--", 0),
            (6, "…", 0),
            (7, "Contoso", 9),
        ];
        assert_eq!(namesakes(companies), [Namesakes { keep: 3, others: vec![1, 4] }]);
        assert_eq!(namesakes([(1, "Ärzte", 0), (2, "ÄRZTE", 0)]), [Namesakes { keep: 1, others: vec![2] }]);
    }
}
