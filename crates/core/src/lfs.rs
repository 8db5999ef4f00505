//! Pointers of Git LFS: small files that stand for content that is kept elsewhere (Git LFS specification, version 1).

/// The most bytes that a pointer has.
pub const MOST: u64 = 1024;

/// What a pointer says of the content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// Its SHA-256, 64 hexadecimal digits in lower case.
    pub oid: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Pointer {
    /// Returns what a file says if it is a pointer.
    pub fn read(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?;
        let is_version = |line: &str| {
            line.starts_with("version https://git-lfs.github.com/spec/")
                || line == "version http://git-media.io/v/2"
        };
        if !text.lines().next().is_some_and(is_version) {
            return None;
        }
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        let oid = value("oid")?.strip_prefix("sha256:")?;
        let is_digest = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        Some(Self { oid: is_digest.then(|| oid.to_owned())?, size: value("size")?.parse().ok()? })
    }

    /// Returns where the content is below the directory of a repository.
    pub fn place(&self) -> String {
        format!("lfs/objects/{}/{}/{}", &self.oid[..2], &self.oid[2..4], self.oid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn a_pointer_is_read_and_everything_else_is_not() {
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n");
        let pointer = Pointer { oid: OID.into(), size: 12_345 };
        assert_eq!(Pointer::read(text.as_bytes()), Some(pointer.clone()));
        let with = text.replace("oid", "ext-0-foo sha256:00\noid");
        assert_eq!(Pointer::read(with.as_bytes()), Some(pointer.clone()));
        assert_eq!(pointer.place(), format!("lfs/objects/4d/7a/{OID}"));
        for wrong in [
            String::new(),
            format!("a note on version\n{text}"),
            text.replace(OID, "../../../../etc/passwd"),
            text.replace(OID, &OID.to_uppercase()),
            text.replace("12345", "many"),
            text.replace("size", "length"),
        ] {
            assert_eq!(Pointer::read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Pointer::read(b"version https://git-lfs.github.com/spec/v1\n\xff"), None);
    }
}
