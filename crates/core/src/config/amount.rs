//! Amounts as people write them: shares such as `25%`, and sizes such as `500MB`.

use serde::Serialize;

/// Some of several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Share {
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(usize),
}

impl Share {
    /// Returns how many of `all` these are: rounded up, at least one, at most all.
    pub fn of(self, all: usize) -> usize {
        let count = match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (all * percent).div_ceil(100),
        };
        count.clamp(1, all.max(1))
    }
}

/// Returns the share of a text such as `2` or `25%`: at least one thing, or from 1 to 100 percent.
pub(super) fn share(text: &str) -> Option<Share> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<usize>().ok())?;
    match text.strip_suffix('%') {
        Some(percent) => digits(percent).filter(|percent| (1..=100).contains(percent)).map(Share::Percent),
        None => digits(text).filter(|count| (1..=100_000).contains(count)).map(Share::Count),
    }
}

/// Returns the thousandths of a percent of a text such as `0.5%`, from 0 to 1000 percent.
pub(super) fn percent(text: &str) -> Option<u32> {
    let (whole, part) = text.strip_suffix('%').map(|text| text.split_once('.').unwrap_or((text, "0")))?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 {
        return None;
    }
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    whole.parse::<u32>().ok().filter(|whole| *whole <= 1000).map(|whole| whole * 1000 + part)
}

/// Returns the bytes of a text such as `500MB` (powers of 1000) or `2GiB` (powers of 1024).
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match &text[digits..] {
        "B" => 1,
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "kiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// Returns a size for people, such as `3.4 MB`, in powers of 1000.
pub fn size_text(bytes: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_up_and_never_nothing() {
        assert_eq!(share("25%").unwrap().of(10), 3);
        assert_eq!(share("1%").unwrap().of(3), 1);
        assert_eq!(share("100%").unwrap().of(7), 7);
        assert_eq!(share("4").unwrap().of(3), 3);
        for text in ["", "0", "0%", "101%", "-1", "1.5", "%", "two", " 2"] {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_told_with_one_digit() {
        assert_eq!([0, 999, 1000, 3_449_999].map(size_text), ["0 B", "999 B", "1.0 kB", "3.4 MB"]);
    }

    #[test]
    fn percents_and_sizes_are_read_exactly() {
        assert_eq!([percent("1%"), percent("0.5%"), percent("50%")], [Some(1000), Some(500), Some(50_000)]);
        assert_eq!(
            [percent("1"), percent("%"), percent(".5%"), percent("1.2345%"), percent("1001%")],
            [None; 5]
        );
        assert_eq!([bytes("500MB"), bytes("2GiB"), bytes("1B")], [Some(500_000_000), Some(2 << 30), Some(1)]);
        assert_eq!([bytes("0B"), bytes("5"), bytes("5mb"), bytes("99999999999TB")], [None; 4]);
    }
}
