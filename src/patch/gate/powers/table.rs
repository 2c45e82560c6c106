//! The words of code behind which a power stands, by language: pieces of code. `^`
//! before one: a name of its own, not an object's. Which of them are new is counted elsewhere.

use super::Kind::{self, Environment, Eval, Files, Network, Off, Process};
use crate::patch::code::Grammar;
use crate::patch::code::tokens::Token;

/// Pieces of code with blanks between them; `~` stands for a blank inside of one.
type Row = (Kind, &'static str);

/// The rows that hold for a language.
pub(super) fn rows(grammar: Option<Grammar>) -> &'static [Row] {
    match grammar {
        Some(Grammar::Python) => PYTHON,
        Some(Grammar::Javascript | Grammar::Typescript | Grammar::Tsx) => JAVASCRIPT,
        Some(Grammar::Go) => GO,
        Some(Grammar::Java) => JAVA,
        Some(Grammar::Rust) => RUST,
        Some(Grammar::Ruby) => RUBY,
        Some(Grammar::Php) => PHP,
        None => OTHERS,
    }
}

const PYTHON: &[Row] = &[
    (
        Eval,
        r##"^eval ^exec ^compile( __import__ importlib builtins __builtins__
        __globals__ __subclasses__ __code__ __dict__ __getattribute__ f_globals f_builtins _getframe
        FunctionType CodeType __loader__ ^breakpoint( ^globals( ^locals( ^vars( pickle cPickle dill
        marshal shelve jsonpickle yaml.load( yaml.unsafe_load yaml.full_load UnsafeLoader
        ctypes cffi runpy codeop sys.modules sys.path methodcaller attrgetter( setattr(__
        sys.settrace sys.setprofile sys.meta_path"##,
    ),
    (
        Process,
        r##"subprocess os.system os.popen os.exec os.execv os.execve os.execvp os.execl
        os.execlp os.fork os.spawnv os.spawnl os.spawnlp os.posix_spawn os.kill
        os.startfile ProcessPoolExecutor pty commands.getoutput create_subprocess_exec create_subprocess_shell
        multiprocessing pexpect popen2 .system( .popen("##,
    ),
    (
        Network,
        r##"socket. import~socket from~socket socketserver requests.get requests.post requests.put
        requests.patch requests.delete requests.head requests.request requests.Session
        from~requests import~requests urllib.request urlopen urllib2 urllib3 http.client
        http.server httpx aiohttp ftplib smtplib poplib imaplib telnetlib xmlrpc paramiko
        websocket websockets open_connection create_connection boto3 pycurl webbrowser"##,
    ),
    (
        Environment,
        r##"os.environ environ os.getenv getenv putenv getpass os.uname platform expanduser"##,
    ),
    (
        Files,
        r##"shutil os.remove os.unlink os.rmdir os.removedirs os.rename os.chmod ^open(
        .unlink( .write_text( .write_bytes( .rmdir( os.walk os.listdir glob"##,
    ),
    (
        Off,
        r##"pytest.skip mark.skip mark.skipif mark.xfail pytest.xfail unittest.skip unittest.skipIf unittest.skipUnless
        @skip @skipIf @skipUnless SkipTest skipTest expectedFailure importorskip collect_ignore"##,
    ),
];

const JAVASCRIPT: &[Row] = &[
    (
        Eval,
        r##"^eval ^Function( globalThis[ window[ global[ self[ globalThis.eval window.eval global.eval self.eval
        .constructor(
        constructor.constructor "constructor"] ["eval" "vm" "module" Reflect.
        process.binding process.mainModule process.dlopen __proto__ setTimeout("
        WebAssembly importScripts createRequire "inspector" "repl" dangerouslySetInnerHTML
        document.write innerHTML"##,
    ),
    (
        Process,
        r##""child_process" child_process execSync execFile execFileSync spawnSync ^spawn(
        ^exec( ^fork( "worker_threads" "cluster" process.kill Bun.spawn Deno. execa
        shelljs "node-pty""##,
    ),
    (
        Network,
        r##"^fetch( .fetch( fetch) fetch, axios "http" "https" "http2" "net" "tls" "dgram"
        "dns" http.request https.request http.get https.get net.connect
        net.createConnection XMLHttpRequest WebSocket EventSource sendBeacon superagent
        "got" "undici" "node-fetch" nodemailer .listen("##,
    ),
    (
        Environment,
        r##"process.env process["env" process.argv "os" process.cwd process.chdir process.exit
        import.meta.env"##,
    ),
    (
        Files,
        r##""fs" "fs/promises" writeFileSync rmSync unlinkSync readFileSync fs. localStorage"##,
    ),
    (
        Off,
        r##".skip( .only( .only. .skip. .todo( ^xit( ^xtest( ^xdescribe( ^fit( ^fdescribe( ^pending( .failing("##,
    ),
];

const GO: &[Row] = &[
    (
        Eval,
        r##"plugin.Open "plugin" MethodByName unsafe. "unsafe" reflect.NewAt "C"
        gob.NewDecoder"##,
    ),
    (
        Process,
        r##"exec.Command exec.CommandContext "os/exec" syscall "syscall"
        "golang.org/x/sys/unix" os.StartProcess os.FindProcess"##,
    ),
    (
        Network,
        r##"net.Dial net.DialTimeout net.Listen net.Dialer net.Lookup net.LookupHost
        net.LookupIP http.Get http.Post http.PostForm http.Head http.NewRequest(
        http.NewRequestWithContext http.DefaultClient http.Client http.ListenAndServe
        httptest.NewServer httptest.NewTLSServer tls.Dial rpc.Dial smtp.SendMail grpc.Dial
        grpc.NewClient "net" "net/smtp" "net/rpc""##,
    ),
    (
        Environment,
        r##"os.Getenv os.LookupEnv os.Environ os.Setenv os.ExpandEnv t.Setenv os.Exit
        os.Hostname os.Args "os/user" os.Chdir"##,
    ),
    (
        Files,
        r##"os.Remove os.RemoveAll os.WriteFile os.Create os.OpenFile os.Open os.ReadFile
        os.Rename ioutil.ReadFile ioutil.WriteFile filepath.Walk"##,
    ),
    (Off, r##"t.Skip t.SkipNow t.Skipf b.Skip testing.Short"##),
];

const JAVA: &[Row] = &[
    (
        Eval,
        r##"Class.forName ScriptEngine ScriptEngineManager getMethod( getDeclaredMethod(
        getDeclaredField( setAccessible getDeclaredConstructor( URLClassLoader defineClass
        loadClass( MethodHandles MethodHandle ObjectInputStream XMLDecoder GroovyShell
        Unsafe System.load System.loadLibrary InitialContext SpelExpressionParser
        java.lang.reflect JavaCompiler"##,
    ),
    (
        Process,
        r##"getRuntime ProcessBuilder ProcessHandle java.lang.Runtime"##,
    ),
    (
        Network,
        r##"^URL( java.net HttpClient Socket ServerSocket SSLSocket DatagramSocket
        HttpURLConnection URLConnection RestTemplate WebClient OkHttpClient openConnection
        openStream SocketChannel InetAddress"##,
    ),
    (
        Environment,
        r##"System.getenv System.getProperty System.setProperty System.exit
        System.getProperties Runtime.halt"##,
    ),
    (
        Files,
        r##"Files. FileWriter FileOutputStream FileInputStream FileReader RandomAccessFile
        ^File( Paths.get"##,
    ),
    (
        Off,
        r##"@Disabled @Ignore @DisabledIf @DisabledOnOs @EnabledIf assumeTrue assumeFalse assumeThat Assumptions Assume"##,
    ),
];

const RUST: &[Row] = &[
    (
        Eval,
        r##"unsafe asm! global_asm! libloading transmute no_mangle link_section proc_macro
        extern"C" include! #[path"##,
    ),
    (
        Process,
        r##"Command::new process~as process::Command std::process libc nix process::{"##,
    ),
    (
        Network,
        r##"TcpStream TcpListener UdpSocket UnixStream std::net tokio::net reqwest hyper ureq
        curl ToSocketAddrs tonic"##,
    ),
    (
        Environment,
        r##"std::env env::var env::vars env::set_var env::args env! option_env! process::exit"##,
    ),
    (
        Files,
        r##"std::fs fs:: File::open File::create OpenOptions include_str! include_bytes!"##,
    ),
    (Off, r##"#[ignore should_panic"##),
];

const RUBY: &[Row] = &[
    (
        Eval,
        r##"^eval self.eval ^send ^method( ^instance_method( instance_eval class_eval module_eval instance_exec binding .send( .send:
        public_send __send__ const_get define_method Marshal YAML.load( YAML.unsafe_load
        Psych.load( ObjectSpace Fiddle ^load instance_variable_set .method( RubyVM
        constantize ERB.new method_missing TracePoint "fiddle""##,
    ),
    (
        Process,
        r##"^system ^exec ^spawn ^fork self.system self.exec self.spawn self.fork Kernel IO.popen popen Open3 Process. PTY "open3" "pty"
        ^syscall Shellwords "shell" at_exit"##,
    ),
    (
        Network,
        r##"Net: TCPSocket TCPServer UDPSocket UNIXSocket Socket URI.open ^open( HTTParty
        Faraday RestClient Excon DRb "net/http" "socket" "open-uri" "net/smtp" "drb"
        Typhoeus"##,
    ),
    (
        Environment,
        r##"ENV ARGV Etc. ^exit ^abort Dir.chdir Dir.home"##,
    ),
    (
        Files,
        r##"File. FileUtils IO.read IO.write Dir. Pathname "fileutils""##,
    ),
    (
        Off,
        r##"^skip ^pending ^xit ^xdescribe ^xcontext ^fit ^fdescribe ^fcontext skip:"##,
    ),
];

const PHP: &[Row] = &[
    (
        Eval,
        r##"^eval( ^assert( create_function call_user_func call_user_func_array unserialize
        ReflectionFunction ReflectionMethod ReflectionClass ^extract( parse_str( ^dl( FFI
        "eval" "assert" register_shutdown_function ini_set stream_wrapper_register
        "create_function" "call_user_func" goto"##,
    ),
    (
        Process,
        r##"^system( ^exec( shell_exec passthru proc_open popen pcntl_exec pcntl_fork "system"
        "exec" "shell_exec" "passthru" "popen" "proc_open" posix_kill ^mail( mb_send_mail"##,
    ),
    (
        Network,
        r##"curl_init curl_exec curl_setopt fsockopen pfsockopen stream_socket_client
        stream_socket_server socket_create socket_connect SoapClient ftp_connect
        GuzzleHttp file_get_contents stream_context_create gethostbyname dns_get_record
        ssh2_connect"##,
    ),
    (
        Environment,
        r##"getenv putenv _ENV _SERVER php_uname phpinfo ^exit("##,
    ),
    (
        Files,
        r##"^unlink( file_put_contents ^fopen( ^rmdir( ^rename( ^chmod( SplFileObject ^copy("##,
    ),
    (
        Off,
        r##"markTestSkipped markTestIncomplete markTestAsRisky @doesNotPerformAssertions expectNotToPerformAssertions"##,
    ),
];

/// Where there is no grammar, the powers of all that come without one.
const OTHERS: &[Row] = &[
    (
        Eval,
        r##"^eval __import__ __subclasses__ __globals__ python/object Code.eval Code.eval_string Code.eval_quoted binary_to_term erl_eval
        Assembly.Load Activator.CreateInstance CSharpScript BinaryFormatter DllImport
        Class.forName ScriptEngineManager dlopen dlsym LoadLibrary Isolate.spawnUri unsafe
        ObjectInputStream setAccessible MethodInfo apply("##,
    ),
    (
        Process,
        r##"Process.Start ProcessStartInfo Process.start Process.run Process.runSync
        ProcessBuilder Runtime.getRuntime System.cmd System.shell os:cmd :os.cmd Port.open
        open_port ^system( popen( execve execl( execlp( execvp( fork( posix_spawn
        ShellExecute CreateProcess WinExec sys.process subprocess child_process os.system
        bash xp_cmdshell"##,
    ),
    (
        Network,
        r##"HttpClient WebClient WebRequest TcpClient TcpListener UdpClient Socket socket(
        gen_tcp gen_udp httpc HTTPoison Finch Tesla Req. URLSession dart:io curl wget
        getaddrinfo java.net OkHttpClient boost::asio URL( requests fetch( dblink"##,
    ),
    (
        Environment,
        r##"getenv setenv System.get_env System.put_env GetEnvironmentVariable
        SetEnvironmentVariable Platform.environment System.getenv System.getProperty
        Application.put_env environ"##,
    ),
    (
        Files,
        r##"File. fopen( ofstream remove( Directory. Files. FileWriter filesystem"##,
    ),
    (
        Off,
        r##"@Disabled @Ignore [Ignore [Skip Skip= @tag~skip @tag:skip DISABLED_ GTEST_SKIP skip: .ignore"##,
    ),
];

/// Powers that are taken under another name: `import os as o`, `import h "net/http"`, and names
/// that are computed.
pub(super) fn other_names(tokens: &[Token<'_>], grammar: Option<Grammar>) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let next = |by: usize| tokens.get(at + by);
        match (grammar, tokens.get(at)) {
            (Some(Grammar::Python), Some(Token::Word("import"))) => {
                let aliased =
                    matches!(next(1), Some(Token::Word("os" | "sys" | "urllib" | "http")))
                        && next(2) == Some(&Token::Word("as"));
                if aliased {
                    found.push((Process, "import os as".to_owned()));
                }
                let from_os = at >= 2
                    && tokens.get(at - 1) == Some(&Token::Word("os"))
                    && tokens.get(at - 2) == Some(&Token::Word("from"));
                if from_os {
                    found.extend(from_os_import(tokens.get(at + 1..).unwrap_or_default()));
                }
            }
            (Some(Grammar::Python), Some(Token::Word("os"))) => {
                if let (Some(Token::Mark('.')), Some(Token::Word(word))) = (next(1), next(2))
                    && is_of_os(word)
                {
                    found.push((Process, format!("os.{word}")));
                }
            }
            // A variable, or a text put together, is called.
            (Some(Grammar::Php), Some(Token::Mark('$')))
                if matches!(next(1), Some(Token::Word(_)))
                    && next(2) == Some(&Token::Mark('(')) =>
            {
                let call = tokens.get(at..(at + 8).min(tokens.len()));
                found.push((Eval, super::shown(call.unwrap_or_default())));
            }
            (Some(Grammar::Php), Some(Token::Mark(')' | ']')))
                if next(1) == Some(&Token::Mark('(')) =>
            {
                let call = tokens.get(at..(at + 8).min(tokens.len()));
                found.push((Eval, super::shown(call.unwrap_or_default())));
            }
            (Some(Grammar::Ruby), Some(Token::Literal(text)))
                if text.starts_with("<<") && text.contains('`') =>
            {
                found.push((Process, (*text).to_owned()));
            }
            (_, Some(Token::Literal(text))) if text.trim_start().starts_with("javascript:") => {
                found.push((Eval, (*text).to_owned()));
            }
            (Some(Grammar::Python), Some(Token::Word("getattr"))) => {
                if let Some(what) = computed_attribute(tokens.get(at + 1..).unwrap_or_default()) {
                    found.push((Eval, what));
                }
            }
            (Some(Grammar::Go), Some(Token::Literal(path))) => {
                let kind = match *path {
                    "net/http" | "net/http/httptest" | "crypto/tls" => Network,
                    "os" => Environment,
                    "reflect" => Eval,
                    _ => continue,
                };
                let before = at.checked_sub(1).and_then(|at| tokens.get(at));
                let named = match before {
                    Some(Token::Word(word)) => *word != "import",
                    Some(Token::Mark(mark)) => *mark == '.',
                    Some(Token::Literal(_) | Token::Command) | None => false,
                };
                // In an expression a literal stands behind other words too; an import stands at
                // the top.
                let top = tokens.iter().take(at).all(|t| *t != Token::Word("func"));
                if named && top {
                    found.push((kind, format!("{path} under another name")));
                }
            }
            (Some(Grammar::Ruby | Grammar::Php), Some(Token::Command)) => {
                let body = tokens.get(at..(at + 12).min(tokens.len()));
                found.push((Process, super::shown(body.unwrap_or_default())));
            }
            _ => {}
        }
    }
    found
}

/// Whether a function of Python's `os` starts or ends processes.
fn is_of_os(word: &str) -> bool {
    [
        "system",
        "popen",
        "fork",
        "forkpty",
        "kill",
        "killpg",
        "startfile",
    ]
    .contains(&word)
        || ["exec", "spawn", "posix_spawn"]
            .iter()
            .any(|begin| word.starts_with(begin))
}

fn from_os_import(rest: &[Token<'_>]) -> Vec<(Kind, String)> {
    let words = rest.iter().take(24).map_while(|token| match token {
        Token::Word(word) if matches!(*word, "import" | "from" | "def" | "class") => None,
        Token::Word(word) => Some(Some(*word)),
        Token::Mark(',' | '(' | ')' | '*') => Some(None),
        Token::Mark(_) | Token::Literal(_) | Token::Command => None,
    });
    let mut found: Vec<(Kind, String)> = words
        .flatten()
        .filter(|word| is_of_os(word))
        .map(|word| (Process, format!("from os import {word}")))
        .collect();
    if rest.first() == Some(&Token::Mark('*')) {
        found.push((Process, "from os import *".to_owned()));
    }
    found
}

/// `getattr` with a name that is not written there, or with one that leads to anything.
fn computed_attribute(rest: &[Token<'_>]) -> Option<String> {
    let mut depth = 0usize;
    let mut second = None;
    for (at, token) in rest.iter().take(60).enumerate() {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Mark(',') if depth == 1 => {
                second = rest.get(at + 1..);
                break;
            }
            Token::Mark(_) | Token::Word(_) | Token::Literal(_) | Token::Command => {}
        }
        if depth == 0 {
            break;
        }
    }
    let plain = match second {
        Some([Token::Literal(name), Token::Mark(',' | ')'), ..]) => {
            let strong = ["system", "popen", "eval", "exec", "import_module"];
            !name.starts_with("__") && !strong.contains(name)
        }
        _ => false,
    };
    (!plain).then(|| {
        let call = rest.get(..rest.len().min(12)).unwrap_or_default();
        format!("getattr{}", super::shown(call))
    })
}
