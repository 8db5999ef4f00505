//! Problems: what a user is told when something is wrong.
//!
//! Every code has a page in `docs/src/errors/`, which `shipway explain CODE` prints; `xtask tidy` checks it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a command that meets a problem ends; each kind is one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A check, gate or policy said no; the world is as it was.
    Refused,
    /// The command line or the configuration is wrong.
    Usage,
    /// A person has to do something first; nothing is lost.
    Waiting,
    /// It failed and everything was taken back.
    RolledBack,
    /// Neither forward nor back without a person.
    Stuck,
    /// There is nothing to release.
    Nothing,
    /// There are commits, but none of them releases anything.
    NoneReleases,
    /// A defect of shipway itself.
    Bug,
}

impl Kind {
    /// Returns the exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Waiting => 3,
            Self::RolledBack => 4,
            Self::Stuck => 5,
            Self::Nothing => 10,
            Self::NoneReleases => 11,
            Self::Bug => 70,
        }
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $kind:ident, $title:literal;)*) => {
        /// The stable name of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as printed, such as `SW0101`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// Returns what the code means, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// Returns how a command ends that meets this problem.
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),* }
            }
        }
    };
}

codes! {
    NotARepository = "SW0101", Usage, "not a git repository";
    BareRepository = "SW0102", Usage, "a bare repository has no work tree to release from";
    NoCommits = "SW0103", Refused, "the branch has no commits yet";
    DetachedHead = "SW0104", Refused, "HEAD is detached";
    ShallowClone = "SW0105", Refused, "the clone is shallow";
    DirtyTree = "SW0106", Refused, "the work tree has changes that are not committed";
    SecretLookingFile = "SW0107", Refused, "an untracked file looks like a secret";
    OperationInProgress = "SW0108", Refused, "a git operation is in progress";
    WrongBranch = "SW0109", Refused, "releases are not made from this branch";
    NoRemote = "SW0110", Refused, "there is no remote to push to";
    ManyRemotes = "SW0111", Refused, "there are several remotes and none is chosen";
    BehindRemote = "SW0112", Refused, "the branch is behind its remote";
    DivergedFromRemote = "SW0113", Refused, "the branch and its remote have diverged";
    RemoteUnreachable = "SW0114", Refused, "the remote cannot be reached";
    AuthenticationFailed = "SW0115", Refused, "the remote did not accept the credentials";
    PushDenied = "SW0116", Refused, "the remote does not allow this push";
    IdentityMissing = "SW0117", Refused, "git does not know who you are";
    SigningUnusable = "SW0118", Refused, "the signing key cannot be used";
    GitMissing = "SW0119", Usage, "git is not installed";
    GitTooOld = "SW0120", Usage, "git is too old";
    NotWritable = "SW0121", Refused, "a directory cannot be written";
    OpenRun = "SW0122", Refused, "a run is still open";
    ConfigSyntax = "SW0201", Usage, "shipway.toml is not valid TOML";
    ConfigUnknownKey = "SW0202", Usage, "shipway.toml has an unknown key";
    ConfigType = "SW0203", Usage, "a value in shipway.toml has the wrong type";
    ConfigValue = "SW0204", Usage, "a value in shipway.toml cannot be used";
    ConfigExists = "SW0205", Refused, "shipway.toml exists already";
    EnvironmentUnknown = "SW0206", Usage, "no such environment is configured";
    InvalidVersion = "SW0301", Usage, "not a semantic version";
    VersionNotHigher = "SW0302", Refused, "the version is not higher than the last release";
    TagTaken = "SW0303", Refused, "the tag exists already";
    TagTakenRemote = "SW0304", Refused, "the tag exists already on the remote";
    TagElsewhere = "SW0305", Refused, "a tag points elsewhere on the remote than here";
    AmbiguousCommits = "SW0306", Refused, "commit messages almost mark a change that would count";
    NothingToRelease = "SW0307", Nothing, "there is nothing to release";
    NothingReleases = "SW0308", NoneReleases, "there are commits, but none of them releases anything";
    OutOfLine = "SW0309", Refused, "the version does not belong to this branch";
    TagFormat = "SW0310", Usage, "the tag format cannot be used";
    CommitMessage = "SW0311", Refused, "the commit message does not follow Conventional Commits";
    VersionFileMissing = "SW0401", Refused, "a version file is missing";
    VersionFileUnreadable = "SW0402", Refused, "a version file cannot be understood";
    VersionsDisagree = "SW0403", Refused, "the version files and the last tag disagree";
    ReadmeConflict = "SW0404", Refused, "the README needs a manual merge";
    ChangelogConflict = "SW0405", Refused, "the changelog cannot be extended";
    Template = "SW0406", Usage, "the changelog template cannot be used";
    CheckFailed = "SW0501", Refused, "a check failed";
    CheckTimedOut = "SW0502", Refused, "a check took too long";
    CheckChangedFiles = "SW0503", Refused, "a check changed tracked files";
    Outdated = "SW0504", Refused, "dependencies are outdated";
    CommitFailed = "SW0601", Refused, "the release commit could not be made";
    TagFailed = "SW0602", Refused, "the tag could not be made";
    HookRefused = "SW0603", Refused, "a hook refused";
    RemoteMoved = "SW0604", Refused, "the remote moved since the plan was made";
    Network = "SW0605", Refused, "the network failed";
    NotVerified = "SW0606", Refused, "the world is not as the plan says";
    StepTimedOut = "SW0607", Refused, "a step took too long";
    GitFailed = "SW0608", Refused, "git failed";
    LocalMoved = "SW0609", Refused, "the repository moved since the plan was made";
    DiskFull = "SW0610", Refused, "the disk is full";
    Io = "SW0611", Refused, "the system refused to read or write";
    Unhealthy = "SW0612", Refused, "a health address does not answer as it should";
    JournalNewer = "SW0701", Usage, "the journal was written by a newer shipway";
    JournalCorrupt = "SW0702", Stuck, "the journal is broken";
    JournalUnsafe = "SW0703", Refused, "the journal cannot promise that what it acknowledged is on disk";
    JournalUnreadable = "SW0704", Refused, "the journal cannot be read or written";
    LeaseHeld = "SW0705", Refused, "another process drives a run here";
    LeaseLost = "SW0706", Refused, "the lease of this run was taken over";
    LogIncomplete = "SW0707", Refused, "lines of a step's log are missing";
    JournalTruncated = "SW0708", Stuck, "the journal is shorter than it was";
    JournalRewritten = "SW0709", Stuck, "the journal is not what it was";
    JournalForked = "SW0710", Stuck, "there are two histories of the journal";
    Unanchored = "SW0711", Refused, "the remote has no checkpoint of the journal";
    Stuck = "SW0801", Stuck, "the run is stuck";
    RunUnknown = "SW0803", Usage, "no such run";
    PlanUnknown = "SW0804", Usage, "no such plan";
    PlanStale = "SW0805", Refused, "the world has moved since the plan was made";
    NothingToRollBack = "SW0806", Nothing, "there is nothing to roll back";
    NothingToResume = "SW0807", Nothing, "there is nothing to resume";
    ActionUnknown = "SW0808", Usage, "the plan names an action that this shipway does not have";
    Stopped = "SW0809", Waiting, "the run was stopped at a safe point";
    PastReturn = "SW0810", Refused, "the run is past its point of no return";
    RolledBack = "SW0811", RolledBack, "the run failed and was rolled back";
    Usage = "SW0901", Usage, "the command line is wrong";
    Sentence = "SW0902", Usage, "the sentence is not one of the accepted forms";
    SchemaContracted = "SW0960", Refused, "a release does not fit the database any more";
    Bug = "SW0999", Bug, "a defect of shipway";
    HostUnknown = "SW1001", Refused, "the name of a host is not known";
    HostRefused = "SW1002", Refused, "a host refuses the connection";
    HostUnreachable = "SW1003", Refused, "a host cannot be reached";
    HostKeyChanged = "SW1004", Refused, "the key of a host has changed";
    HostKeyUnknown = "SW1005", Refused, "the key of a host is not known here";
    HostDenied = "SW1006", Refused, "a host does not accept the login";
    HostLost = "SW1007", Refused, "the connection to a host was lost";
    AgentUnusable = "SW1008", Refused, "the agent does not run on a host";
    HostLeased = "SW1009", Refused, "another run has the lease of a host";
    HostFenced = "SW1010", Refused, "a host was leased anew since";
    HostDrift = "SW1011", Refused, "a host is not as its journal says";
    HostDisk = "SW1012", Refused, "a host has too little space";
    HostRights = "SW1013", Refused, "the user on a host may not write there";
    HostJournal = "SW1014", Stuck, "the journal of a host is broken";
    ArtifactChanged = "SW1015", Refused, "an artifact is not what it was";
    ArtifactMissing = "SW1016", Refused, "an artifact is missing";
    ArtifactUnusable = "SW1017", Refused, "a file cannot be part of an artifact";
    BuildFailed = "SW1018", Refused, "the build failed";
    NoWayBack = "SW1019", Refused, "a host has no way back";
    WatchdogFired = "SW1020", Refused, "a host has put itself back";
    HostMoved = "SW1021", Refused, "a host has another release than the plan says";
    HostCommand = "SW1022", Refused, "a command failed on a host";
    WatchdogDied = "SW1023", Refused, "the watchdog of a host has died";
    HostTaken = "SW1024", Refused, "a directory on a host belongs to somebody else";
    ServiceFailed = "SW1030", Refused, "a service does not start or stop";
    ServiceNotOurs = "SW1031", Refused, "what runs is not of this release";
    ServiceUnhealthy = "SW1032", Refused, "a service is not well";
    SmokeFailed = "SW1033", Refused, "a smoke test failed";
    SwitchFailed = "SW1034", Refused, "traffic could not be switched";
    RuntimeFailed = "SW1035", Refused, "the runtime of a release could not be made";
    ManagerMissing = "SW1036", Refused, "a service manager cannot be used";
    CurrentBlocked = "SW1037", Refused, "something stands where the link to the current release belongs";
    ReleaseMissing = "SW1038", Refused, "a release is not on this host";
    ProxyAddress = "SW1041", Refused, "the proxy cannot listen";
    ProxyState = "SW1042", Refused, "the state of the proxy cannot be read or kept";
    ProxySilent = "SW1043", Refused, "the proxy does not answer";
    ProxyAsked = "SW1044", Refused, "the proxy refuses what it was asked";
    ProxyHandover = "SW1045", Refused, "the running proxy could not be replaced";
    NotReady = "SW1051", Refused, "an environment is not as a deployment needs it";
    DependenciesDiffer = "SW1052", Refused, "installed packages are not as declared";
    PageStale = "SW1053", Refused, "the page of an environment is stale";
    NothingDeclared = "SW1054", Usage, "no declared dependencies were found";
    BackupFailed = "SW1061", Refused, "a backup could not be made";
    BackupBroken = "SW1062", Refused, "a backup is not what was saved";
    BackupLocked = "SW1063", Refused, "an encrypted backup cannot be decrypted";
    BackupProgram = "SW1064", Refused, "a program that backups need is missing";
    BackupInPlace = "SW1065", Refused, "a backup is not restored over what is there";
    BackupUnknown = "SW1066", Usage, "no such backup";
    BackupRefused = "SW1067", Refused, "what was restored is not right";
    BackupMoving = "SW1068", Refused, "what is saved changes meanwhile";
    RestoreFailed = "SW1069", Refused, "a backup could not be restored";
    ApprovalMissing = "SW1071", Waiting, "a gate waits for an approval";
    WindowShut = "SW1072", Waiting, "it is not the time for this change";
    Soaking = "SW1073", Waiting, "the soak time is not over";
    IncidentOpen = "SW1074", Waiting, "an incident is open";
    WindowSyntax = "SW1075", Usage, "a change window or a freeze cannot be understood";
    TimeZoneUnknown = "SW1076", Usage, "no such time zone";
    MayNotApprove = "SW1077", Refused, "this person may not approve the plan";
    NotAPerson = "SW1078", Refused, "only a person may do this";
    NoTerminal = "SW1079", Refused, "an approval is typed at a terminal";
    NotConfirmed = "SW1080", Refused, "what was typed is not the digest of the plan";
    NothingToApprove = "SW1081", Nothing, "the run waits for no approval";
    IncidentUnknown = "SW1082", Usage, "no such incident is open";
    IncidentsUnreadable = "SW1083", Refused, "the list of incidents cannot be read or written";
    GateUnsatisfiable = "SW1084", Usage, "a gate can never open";
    NotProven = "SW1090", Refused, "the environment before has not proven the artifact";
    MigrationFailed = "SW1091", Refused, "a migration failed";
    HostClock = "SW1092", Refused, "the clock of a host is off";
    SecretMissing = "SW1093", Refused, "a secret is not set";
    NothingToDeploy = "SW1094", Nothing, "there is nothing to deploy";
    WatchFailed = "SW1095", Refused, "a release is not well under traffic";
    WatchNoData = "SW1096", Refused, "there was too little traffic for a verdict";
    DrillMissing = "SW1097", Refused, "the last drill is too old";
    DrillFailed = "SW1098", Refused, "a drill failed";
    PolicyDenied = "SW1101", Refused, "the policy says no";
    PolicyWaits = "SW1102", Waiting, "the policy wants something first";
    PolicyRule = "SW1103", Usage, "the policy has a rule that cannot be meant";
    PolicyCase = "SW1104", Refused, "a case of the policy is decided otherwise";
    PushInput = "SW1105", Refused, "what git says of a push cannot be read";
    OwnersLine = "SW1106", Refused, "a line of the owners cannot be read";
    GuardMissing = "SW1110", Usage, "the repository has no guard";
    GuardUnusable = "SW1111", Refused, "a guard cannot be installed";
    GuardFailed = "SW1112", Refused, "the guard cannot judge, and so refuses";
    GuardInert = "SW1113", Refused, "a guard is not in force";
    LoginRefused = "SW1114", Refused, "this login may not do that here";
    ServiceRefused = "SW1115", Refused, "this key may only talk git";
    WayPast = "SW1116", Refused, "a way past the guard or the hooks is open";
    SignersUnreadable = "SW1125", Refused, "a line of the allowed signers cannot be understood";
    SignatureBad = "SW1126", Refused, "a signature is not good";
    SignerUnknown = "SW1127", Refused, "a key is not among the allowed signers";
    KeyInvalid = "SW1128", Refused, "a key does not count";
    KeyUnusable = "SW1129", Refused, "there is no key to sign with";
    StatementElsewhere = "SW1130", Refused, "what was signed is for something else";
    GradeTooLow = "SW1131", Refused, "an approval proves too little";
    KeyWeak = "SW1137", Refused, "every program of its owner can use a key";
    RecordUnreadable = "SW1140", Refused, "a record cannot be read";
    ChangeUnknown = "SW1141", Usage, "no such change request";
    LandingConflict = "SW1142", Refused, "a change does not merge";
    LandingRaced = "SW1143", Refused, "others landed meanwhile";
    Unproven = "SW1144", Refused, "a commit of a protected branch is not proven";
    HooksInert = "SW1160", Refused, "local hooks are not in force";
    HooksBlocked = "SW1161", Refused, "local hooks cannot be installed";
    SkipSyntax = "SW1162", Usage, "a rule is skipped without a reason, or is not known";
    HookNotice = "SW1163", Refused, "a commit was made past the hooks";
    FlowKind = "SW1164", Usage, "there are no such branches in the flow";
    FlowBranch = "SW1165", Refused, "a branch cannot be started or finished";
    FlowUnguarded = "SW1166", Refused, "the remote takes no change requests";
    BackMerge = "SW1167", Waiting, "a branch must be merged back by hand";
    TriggerUnknown = "SW1169", Usage, "not an event, or not of a commit that is here";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A journal of a newer shipway may carry a code that is not known yet.
        Ok(Self::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Self::Bug))
    }
}

/// One thing that is wrong: what, where, what was found and wanted, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable name.
    pub code: Code,
    /// A lower-case fragment that names the thing, such as `tag v1.4.0 exists on origin and is not ours`.
    pub what: String,
    /// Where it is, such as `shipway.toml:3:7` or `step push`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// Further lines, such as the last output of a failed check or the text of a hook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do next; where there is a command, it can be pasted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Problem {
    /// Returns a problem with nothing but its code and its fragment.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            place: None,
            found: None,
            wanted: None,
            details: vec![],
            hints: vec![],
        }
    }

    /// Adds where it is.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Adds what was wanted.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Into<String>) -> Self {
        self.wanted = Some(wanted.into());
        self
    }

    /// Adds further lines.
    #[must_use]
    pub fn details(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.details.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
    }

    #[test]
    fn a_problem_survives_the_journal() {
        let problem = Problem::new(Code::TagTaken, "tag v1.0.0 exists").found("9c2e1d0").hint("git fetch");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}
