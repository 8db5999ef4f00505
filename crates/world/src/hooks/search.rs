//! Looking for secrets in files that commits bring.

use std::collections::BTreeMap;

use shipway_core::policy::FileChange;
use shipway_core::problem::Problem;
use shipway_core::secrets::secrets;

use super::staged::InHook;

/// A file beyond this size is not searched: secrets are in small ones.
pub(crate) const SEARCHED: u64 = 1 << 20;

/// How much is read at once, in bytes.
const AT_ONCE: u64 = 32 << 20;

impl InHook<'_> {
    /// Fills in the lines that look like secrets, of files whose sizes are known. Each content is read once, however many
    /// commits have it, and never more of them at once than fits well.
    pub fn search(&self, files: &mut [FileChange]) -> Result<(), Problem> {
        let small = |file: &&FileChange| file.size.is_some_and(|size| size <= SEARCHED);
        let blobs: BTreeMap<&str, u64> =
            files.iter().filter(small).map(|file| (file.blob.as_str(), file.size.unwrap_or(0))).collect();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut some, mut bytes) = (vec![], 0);
        for (blob, size) in blobs {
            some.push(blob);
            bytes += size;
            if bytes >= AT_ONCE {
                found.extend(self.leaks(&some)?);
                (some, bytes) = (vec![], 0);
            }
        }
        found.extend(self.leaks(&some)?);
        if found.is_empty() {
            return Ok(());
        }
        for file in files {
            file.secrets = found.get(&file.blob).cloned().unwrap_or_default();
        }
        Ok(())
    }

    /// Returns the blobs that hold what looks like secrets, with the lines.
    fn leaks(&self, blobs: &[&str]) -> Result<Vec<(String, Vec<String>)>, Problem> {
        let leaks =
            blobs.iter().zip(self.contents(blobs)?).map(|(blob, text)| ((*blob).to_owned(), secrets(&text)));
        Ok(leaks.filter(|(_, secrets)| !secrets.is_empty()).collect())
    }
}
