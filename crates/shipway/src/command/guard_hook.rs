//! What the hooks of a guarded repository start. Whatever goes wrong here is a refusal.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use shipway_core::action::Stop;
use shipway_core::policy::{self, Identity, Verdict};
use shipway_core::problem::{Code, Problem};
use shipway_world::guard::{self, Guard, proc_receive, receive, transaction};
use shipway_world::hooks::chain;
use shipway_world::hooks::staged::InHook;
use shipway_world::shell::{self, LocalShell};

use super::{DONE, End};
use crate::args::{Environment, GuardHook};
use crate::view::View;

/// One call of a hook. Git starts the hooks of a bare repository in it.
struct Call<'a> {
    asked: &'a GuardHook,
    environment: &'a Environment,
    view: &'a dyn View,
    guard: Guard,
    shell: LocalShell,
    stop: Stop,
    top: PathBuf,
}

/// Runs a hook of a guard, and after it the one that was there before.
pub(super) fn run(asked: &GuardHook, environment: &Environment, view: &dyn View) -> End {
    let top = std::env::current_dir().map_err(|error| {
        vec![Problem::new(Code::GuardFailed, format!("the repository is not here: {error}"))]
    })?;
    let guard = Guard::open(&top).map_err(|problem| vec![problem])?;
    let call = Call { asked, environment, view, guard, shell: LocalShell::new(), stop: Stop::default(), top };
    match asked.name.as_str() {
        "pre-receive" => call.pre_receive(),
        "proc-receive" => call.proc_receive(),
        "post-receive" => call.post_receive(),
        "reference-transaction" => call.transaction(),
        name => Err(vec![Problem::new(Code::Usage, format!("a guard has no hook {name}"))]),
    }
}

impl Call<'_> {
    fn git(&self) -> InHook<'_> {
        let mut git = InHook::new(&self.top, &self.environment.variables, (&self.shell, &self.stop));
        git.variables.push(("GIT_NO_REPLACE_OBJECTS".into(), "1".into()));
        git.variables.push(("GIT_NO_LAZY_FETCH".into(), "1".into()));
        git
    }

    /// Git on the repository as it is, without what is just being pushed: beside that, nothing can be written.
    fn git_outside(&self) -> InHook<'_> {
        let mut git = self.git();
        git.variables
            .retain(|(name, _)| name != "GIT_OBJECT_DIRECTORY" && name != "GIT_ALTERNATE_OBJECT_DIRECTORIES");
        git
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).map(str::to_owned)
    }

    fn identity(&self) -> Option<Identity> {
        guard::identity(&|name| self.variable(name), guard::account)
    }

    /// Who a forced command says it is, which counts before all else.
    fn forced(&self) -> Option<&str> {
        self.environment.get(guard::LOGIN).filter(|login| !login.is_empty())
    }

    fn input() -> Result<Vec<u8>, Vec<Problem>> {
        let mut bytes = vec![];
        let read = io::stdin().lock().read_to_end(&mut bytes);
        let failed = |error| vec![Problem::new(Code::GuardFailed, format!("git says nothing: {error}"))];
        read.map(|_| bytes).map_err(failed)
    }

    fn pre_receive(&self) -> End {
        let input = Self::input()?;
        let lines = policy::parse_updates(&input).map_err(|problem| vec![problem])?;
        let now = shell::now();
        self.guard.catch_up(&self.git_outside(), now)?;
        let variable = |name: &str| self.variable(name);
        let signed = match self.forced() {
            Some(_) => None,
            None => self.guard.certified(&self.git(), &variable, now)?,
        };
        let by = signed.or_else(|| self.identity());
        self.guard.note_certified(by.as_ref()).map_err(unnoted)?;
        let push = receive::Push { by, lines: &lines, ticket: None, now };
        let verdicts = self.guard.judge(&self.git(), &push)?;
        refuse(&verdicts)?;
        self.guard.beat(now).map_err(unnoted)?;
        self.hand_over(&input)
    }

    fn proc_receive(&self) -> End {
        let nobody = || vec![Problem::new(Code::LoginRefused, "nobody knows who asks")];
        let noted = if self.forced().is_none() { self.guard.noted_certified() } else { None };
        let by = noted.or_else(|| self.identity()).ok_or_else(nobody)?;
        let say = |line: &str| {
            // Whoever has hung up is not told.
            let _ = writeln!(io::stderr(), "{line}");
        };
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        proc_receive::run(&self.guard, &self.git(), (by, shell::now()), (&mut input, &mut output), &say)
            .map_err(|problem| vec![problem])?;
        Ok(DONE)
    }

    fn post_receive(&self) -> End {
        let input = Self::input()?;
        let lines = policy::parse_updates(&input).map_err(|problem| vec![problem])?;
        // A note that stays behind is taken away by the next push of the same number.
        let _ = self.guard.note_certified(None);
        let (git, now) = (self.git(), shell::now());
        let landed = self.guard.landed(&git, &lines, now).and_then(|()| self.guard.catch_up(&git, now));
        // The refs have moved already; what is missing is written by whoever comes next.
        if let Err(problems) = landed {
            self.view.problems(&problems);
        }
        self.hand_over(&input)
    }

    fn transaction(&self) -> End {
        let input = Self::input()?;
        let moves = transaction::moves(&input);
        let state =
            self.asked.args.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let now = shell::now();
        match state.as_str() {
            "prepared" => {
                let token = self.environment.get(guard::TOKEN);
                let behind = transaction::Behind { by: self.identity(), token, now };
                let verdicts = self.guard.transaction(&self.git(), &behind, &moves)?;
                refuse(&verdicts)?;
            }
            "committed" => {
                let login = self.identity().map_or_else(|| "nobody".into(), |by| by.login);
                if let Err(error) = self.guard.ledger(&self.git(), &moves, (&login, now)) {
                    self.view.note(&format!("the ledger of the guard cannot be written: {error}"));
                }
            }
            _ => {}
        }
        self.hand_over(&input)
    }

    fn hand_over(&self, input: &[u8]) -> End {
        let Some(next) = &self.asked.next else { return Ok(DONE) };
        let next = self.top.join(next);
        chain::hand_over(&next, &self.asked.args, Some(input)).map_err(|error| {
            vec![Problem::new(Code::GuardFailed, format!("{} cannot be run: {error}", next.display()))]
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unnoted(error: io::Error) -> Vec<Problem> {
    vec![Problem::new(Code::GuardFailed, format!("the guard cannot write in its own directory: {error}"))]
}

fn refuse(verdicts: &[Verdict]) -> Result<(), Vec<Problem>> {
    let problems: Vec<Problem> = verdicts.iter().map(Verdict::problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
