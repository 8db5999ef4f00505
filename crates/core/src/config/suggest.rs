//! Did you mean: the nearest of some words.

/// Returns the nearest word, if it is near enough to be a slip of the pen: a third of the letters, at least one.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    let limit = (word.chars().count() / 3).max(1);
    words
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns how many letters must be inserted, removed, replaced or swapped with their neighbour to make one word of
/// the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_slips() {
        for (from, to, count) in [
            ("", "", 0),
            ("tag", "tag", 0),
            ("", "tag", 3),
            ("tga", "tag", 1),
            ("tags", "tag", 1),
            ("tüg", "tag", 1),
            ("relase", "release", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), count, "{from} {to}");
            assert_eq!(distance(to, from), count, "{to} {from}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = ["tag", "remote", "branches", "breaking-below-1"];
        assert_eq!(nearest("tags", words), Some("tag"));
        assert_eq!(nearest("Remote", words), Some("remote"));
        assert_eq!(nearest("branch", words), Some("branches"));
        assert_eq!(nearest("breaking_below_1", words), Some("breaking-below-1"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("x", words), None);
    }
}
