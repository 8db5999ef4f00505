//! Files that look like secrets by name alone.

const NAMES: &[&str] = &[
    ".env",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".vault-token",
    "_netrc",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "secrets.json",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
];

const ENDINGS: &[&str] = &[".env", ".jks", ".kdbx", ".key", ".keystore", ".p12", ".pem", ".pfx", ".ppk"];

/// Endings of files that show what a secret file looks like and hold none.
const HARMLESS: &[&str] = &[".dist", ".example", ".pub", ".sample", ".template", ".tmpl", ".tpl"];

/// Beginnings of JSON files that cloud providers hand out with keys in them.
const BEGINNINGS: &[&str] = &["client-secret", "client_secret", "service-account", "service_account"];

/// Tells whether a path looks like that of a secret, by its name alone.
pub fn looks_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let name = name.as_str();
    let begins = |with: &&str| name.starts_with(*with);
    let ends = |with: &&str| name.ends_with(*with);
    if HARMLESS.iter().any(ends) || ["example.", "sample.", "template."].iter().any(begins) {
        return false;
    }
    NAMES.contains(&name)
        || name.starts_with(".env.")
        || ENDINGS.iter().any(ends)
        || (ends(&".json") && BEGINNINGS.iter().any(begins))
}
