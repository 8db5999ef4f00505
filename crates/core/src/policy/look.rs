//! What a name looks like: names that a reader takes for each other have the same skeleton.
//!
//! The table holds the letters that are taken for Latin ones in the names people give to branches, after the
//! confusables of Unicode Technical Standard 39; scripts that look like no Latin letter need no entry.

/// Look-alikes: each text of letters is read as the letters below it, one by one.
const TABLE: &[(&str, &str)] = &[
    // Cyrillic.
    ("аеорсухіјѕԁԛԝһѵгпткмнвьԍӏ", "aeopcyxijsdqwhvrnmkmhbbgl"),
    ("АВЕКМНОРСТУХІЈЅԌԚԜҮѴӀ", "ABEKMHOPCTYXIJSGQWYVl"),
    // Greek.
    ("αβγεικνορτυχωηςϲϳ", "abyeikvoptuxwncej"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺ", "ABEZHIKMNOPTYXCM"),
    // Armenian, Cherokee, Coptic and Lisu, as far as they are seen in such names.
    ("օսոհցզյաԼՕՍ", "ounhgqjwLOU"),
    ("ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ", "ABCDEHJKLMPSTVWZ"),
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ"),
    // Latin letters that are drawn like others, small capitals and letters without their dots.
    ("ıɩɑɡɪʀʏʙʜʟᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱɴſƖǀℓℐℑ", "iiagirybhlacdejkmoptuvwzsnfllllI"),
    // Letters with a stroke or a hook.
    ("øđħłŧƀɓƈɗƒɠƙƥƭ", "odhltbbcdfgkpt"),
];

/// Letters with marks of Latin-1 and Latin Extended-A, and the letters that they are read as.
const MARKED: &[(&str, char)] = &[
    ("àáâãäåāăą", 'a'),
    ("çćĉċč", 'c'),
    ("ďđ", 'd'),
    ("èéêëēĕėęě", 'e'),
    ("ĝğġģ", 'g'),
    ("ĥħ", 'h'),
    ("ìíîïĩīĭį", 'i'),
    ("ĵ", 'j'),
    ("ķ", 'k'),
    ("ĺļľŀ", 'l'),
    ("ñńņň", 'n'),
    ("òóôõöōŏő", 'o'),
    ("ŕŗř", 'r'),
    ("śŝşš", 's'),
    ("ţť", 't'),
    ("ùúûüũūŭůűų", 'u'),
    ("ŵ", 'w'),
    ("ýÿŷ", 'y'),
    ("źżž", 'z'),
];

/// Returns what a text looks like. Slashes and stars stay.
pub(super) fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_invisible(*c) && !is_mark(*c)) {
        let c = plain(c);
        let c = match c {
            'I' | '|' | '1' => 'l',
            '0' => 'o',
            _ => c.to_ascii_lowercase(),
        };
        match c {
            'm' => out.push_str("rn"),
            'w' => out.push_str("vv"),
            'd' => out.push_str("cl"),
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// Returns a text as file systems that know no case compare it, with look-alike letters left alone.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn plain(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let number = u32::from(c);
    let letter = |first: u32, base: u8| char::from_u32(u32::from(base) + (number - first) % 26).unwrap_or(c);
    match number {
        // Full-width forms.
        0xff01..=0xff5e => return char::from_u32(number - 0xfee0).unwrap_or(c),
        // Circled and parenthesised letters.
        0x249c..=0x24b5 => return letter(0x249c, b'a'),
        0x24b6..=0x24cf => return letter(0x24b6, b'A'),
        0x24d0..=0x24e9 => return letter(0x24d0, b'a'),
        // Mathematical alphabets: each has 26 capital and 26 small letters.
        0x1d400..=0x1d6a3 => {
            let small = (number - 0x1d400) % 52 >= 26;
            return letter(0x1d400, if small { b'a' } else { b'A' });
        }
        // Mathematical digits.
        0x1d7ce..=0x1d7ff => return char::from_u32(0x30 + (number - 0x1d7ce) % 10).unwrap_or(c),
        // Slashes, hyphens and dots that are drawn like those of ASCII.
        0x2044 | 0x2215 | 0x29f8 => return '/',
        0x2010..=0x2015 | 0x2212 | 0x02d7 | 0xfe58 => return '-',
        0x2024 | 0x0660 | 0x06f0 => return '.',
        _ => {}
    }
    let in_table = TABLE.iter().find_map(|(from, to)| {
        let at = from.chars().position(|known| known == c)?;
        to.chars().nth(at)
    });
    let small = || c.to_lowercase().next().unwrap_or(c);
    let marked = || MARKED.iter().find(|(from, _)| from.contains(small())).map(|(_, to)| *to);
    in_table.or_else(marked).unwrap_or(c)
}

/// Tells whether a character is a mark on the letter before it.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// Tells whether a character cannot be seen, turns the direction of writing, or is a space of some kind: nothing that
/// a name needs (Unicode: `Default_Ignorable_Code_Point`, `Cc`, `Cf` and `Z`).
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(u32::from(c),
            0x00ad | 0x034f | 0x0600..=0x0605 | 0x061c | 0x06dd | 0x070f | 0x115f | 0x1160 | 0x17b4 | 0x17b5
            | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_as_long_on_both_sides() {
        for (from, to) in TABLE {
            assert_eq!(from.chars().count(), to.chars().count(), "{from}");
        }
    }

    #[test]
    fn look_alikes_have_the_skeleton_of_what_they_look_like() {
        for (seen, meant) in [
            ("mаin", "main"),
            ("маin", "main"),
            ("ｍａｉｎ", "main"),
            ("rnain", "main"),
            ("maın", "main"),
            ("maín", "main"),
            ("mai\u{301}n", "main"),
            ("ma\u{200b}in", "main"),
            ("ma\u{2060}in", "main"),
            ("𝐦𝐚𝐢𝐧", "main"),
            ("𝗺𝗮𝗶𝗻", "main"),
            ("ⓜⓐⓘⓝ", "main"),
            ("deve1op", "develop"),
            ("develοp", "develop"),
            ("ᎷAIN", "MAlN"),
            ("rеlease∕1.0", "release/1.0"),
            ("master", "MASTER"),
            ("vveb", "web"),
        ] {
            assert_eq!(skeleton(seen), skeleton(meant), "{seen}");
        }
    }

    #[test]
    fn names_that_read_otherwise_have_other_skeletons() {
        for (one, other) in
            [("main", "mine"), ("develop", "deploy"), ("release/1", "release/2"), ("世界", "main")]
        {
            assert_ne!(skeleton(one), skeleton(other), "{one}");
        }
    }
}
