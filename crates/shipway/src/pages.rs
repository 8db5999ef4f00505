//! The pages of the error codes, compiled in so that `explain` needs no files.

macro_rules! pages {
    ($($code:ident)*) => {
        /// Every code with its page in Markdown.
        pub const PAGES: &[(&str, &str)] =
            &[$((stringify!($code), include_str!(concat!("../../../docs/src/errors/", stringify!($code), ".md")))),*];
    };
}

pages! {
    SW0101 SW0102 SW0103 SW0104 SW0105 SW0106 SW0107 SW0108 SW0109 SW0110
    SW0111 SW0112 SW0113 SW0114 SW0115 SW0116 SW0117 SW0118 SW0119 SW0120
    SW0121 SW0122 SW0201 SW0202 SW0203 SW0204 SW0205 SW0206 SW0301 SW0302
    SW0303 SW0304 SW0305 SW0306 SW0307 SW0308 SW0309 SW0310 SW0311 SW0401
    SW0402 SW0403 SW0404 SW0405 SW0406 SW0501 SW0502 SW0503 SW0504 SW0601 SW0602
    SW0603 SW0604 SW0605 SW0606 SW0607 SW0608 SW0609 SW0610 SW0611 SW0612
    SW0701 SW0702 SW0703 SW0704 SW0705 SW0706 SW0707 SW0801 SW0803 SW0804
    SW0805 SW0806 SW0807 SW0808 SW0809 SW0810 SW0811 SW0901 SW0902 SW0999
    SW1061 SW1062 SW1063 SW1064 SW1065 SW1066 SW1067 SW1068 SW1069
}

#[cfg(test)]
mod tests {
    use shipway_core::problem::Code;

    #[test]
    fn every_code_has_its_page() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let pages: Vec<&str> = super::PAGES.iter().map(|(code, _)| *code).collect();
        assert_eq!(pages, codes);
    }
}
