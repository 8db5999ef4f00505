//! What the guide shows can be used as it stands.

use std::fs;
use std::path::Path;

use shipway_core::config;

#[test]
fn every_configuration_in_the_guide_is_read() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/guide");
    let mut count = 0;
    for page in fs::read_dir(guide).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            if block.starts_with("schema = 1") {
                let read = config::read(block, "shipway.toml");
                assert!(read.is_ok(), "{}: {:?}", page.display(), read.err());
                count += 1;
            }
        }
    }
    assert!(count >= 9, "{count}");
}
