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
    SW0402 SW0403 SW0404 SW0405 SW0406 SW0501 SW0502 SW0503 SW0504 SW0601
    SW0602 SW0603 SW0604 SW0605 SW0606 SW0607 SW0608 SW0609 SW0610 SW0611
    SW0612 SW0701 SW0702 SW0703 SW0704 SW0705 SW0706 SW0707 SW0801 SW0803
    SW0804 SW0805 SW0806 SW0807 SW0808 SW0809 SW0810 SW0811 SW0901 SW0902
    SW0999 SW1001 SW1002 SW1003 SW1004 SW1005 SW1006 SW1007 SW1008 SW1009
    SW1010 SW1011 SW1012 SW1013 SW1014 SW1015 SW1016 SW1017 SW1018 SW1019
    SW1020 SW1021 SW1022 SW1030 SW1031 SW1032 SW1033 SW1034 SW1035 SW1036
    SW1037 SW1038 SW1051 SW1052 SW1053 SW1054 SW1071 SW1072 SW1073 SW1074
    SW1075 SW1076 SW1077 SW1078 SW1079 SW1080 SW1081 SW1082 SW1083 SW1084
    SW1090 SW1091 SW1092 SW1093 SW1094 SW1095 SW1096 SW1097 SW1098
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
