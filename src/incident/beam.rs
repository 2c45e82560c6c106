//! Which modules in the stacks of Elixir and Erlang are libraries': their files are printed without
//! the folder they were installed in. Other languages' libraries are told in `frames`.

/// Modules that stand in the stacks of Elixir and Erlang programs: the languages' own, and those
/// of the libraries around web requests, jobs and databases. The application that a frame belongs
/// to is printed beside it in Elixir only.
const BEAM_MODULES: &[&str] = &[
    "Enum.",
    "Enum",
    "Stream",
    "Map.",
    "Keyword.",
    "Kernel",
    "List.",
    "String.",
    "Integer.",
    "File.",
    "GenServer.",
    "GenStage.",
    "Task.",
    "Agent.",
    "Supervisor.",
    "DynamicSupervisor.",
    "Registry.",
    "Code.",
    "Module.ParallelChecker",
    "Mix.",
    "ExUnit.",
    "Logger.",
    "Access.",
    "Plug.",
    "Phoenix.",
    "Ecto.",
    "DBConnection",
    "Postgrex",
    "MyXQL",
    "Bandit",
    "ThousandIsland",
    "Oban.",
    "Absinthe.",
    "Jason",
    "Finch",
    "Mint.",
    "Tesla",
];

/// Modules of Erlang itself and of libraries written in it.
const OTP_MODULES: &[&str] = &[
    "erlang",
    "gen",
    "gen_server",
    "gen_statem",
    "gen_fsm",
    "gen_event",
    "proc_lib",
    "supervisor",
    "application_master",
    "lists",
    "maps",
    "ets",
    "dict",
    "binary",
    "timer",
    "io",
    "file",
    "init",
    "erl_eval",
    "escript",
    "code_server",
    "elixir",
    "elixir_compiler",
    "elixir_lexical",
    "cowboy",
    "cowboy_handler",
    "cowboy_stream_h",
    "cowboy_http",
    "ranch",
    "ranch_conn",
    "meck_proc",
];

/// Whether a frame of Elixir or Erlang belongs to a library, by the module in its function.
pub(super) fn is_library(file: &str, function: &str) -> bool {
    // `anonymous fn/1 in Mod.fun/2`
    let function = function.rsplit(" in ").next().unwrap_or(function);
    let erlang = function.strip_prefix(':').unwrap_or(function);
    let module = erlang.split([':', '.']).next().unwrap_or_default();
    let own = BEAM_MODULES
        .iter()
        .any(|name| match name.strip_suffix('.') {
            Some(_) => function.starts_with(name),
            None => function.split('.').next() == Some(name),
        });
    let otp = OTP_MODULES.contains(&module) && (file.is_empty() || file.ends_with(".erl"));
    own || otp
}
