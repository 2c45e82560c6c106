//! Forms of Ruby, PHP, Elixir and Erlang whose programs could not be run here, as their
//! documentation shows them: Rails, nginx, Apache, older releases, Phoenix, lager.

use super::find;
use autofix::model::Level;
use autofix::trace::Inspected;

/// First and last line, type, frames and whether nobody caught it, of each trace.
fn shown(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let all = find(&lines);
    all.iter()
        .map(|found| {
            let one = Inspected::from(found.clone());
            let frames: Vec<String> = one.frames.iter().map(frame).collect();
            let kind = one.exception_type.unwrap_or("-".to_owned());
            let caught = if found.uncaught { "uncaught" } else { "caught" };
            let frames = frames.join(", ");
            format!("{}-{} {kind} {caught}: {frames}", one.first, one.last)
        })
        .collect()
}

fn frame(frame: &autofix::trace::InspectedFrame) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    let line = frame.line.map_or("-".to_owned(), |line| line.to_string());
    format!("{} {}:{line}", word(&frame.function), word(&frame.file))
}

#[test]
fn rails_documented() {
    let text =
        "I, [2026-01-02T10:00:00.1 #7]  INFO -- : [1f3c] Completed 500 Internal Server Error in 5ms
F, [2026-01-02T10:00:00.2 #7] FATAL -- : [1f3c]   
[1f3c] ActionView::Template::Error (undefined method `name' for nil:NilClass):
[1f3c]     1: <h1>
[1f3c]     2:   <%= @shop.name %>
[1f3c]   
[1f3c] app/views/shops/show.html.erb:2:in `_app_views_shops_show'
[1f3c] app/controllers/shops_controller.rb:7:in `show'
I, [2026-01-02T10:00:01.1 #7]  INFO -- : [99ab] Started GET \"/\"";
    assert_eq!(
        shown(text),
        [
            "2-7 ActionView::Template::Error caught: _app_views_shops_show app/views/shops/show.html.erb:2, show app/controllers/shops_controller.rb:7"
        ]
    );
    let found = find(&text.lines().collect::<Vec<_>>());
    assert!(found[0].level >= Some(Level::Error), "{:?}", found[0].level);
    let missing = "  
ActiveRecord::RecordNotFound (Couldn't find Shop with 'id'=7):
  
app/controllers/shops_controller.rb:7:in `show'
Started GET \"/\" for 127.0.0.1 at 2026-01-02 10:00:00 +0000";
    assert_eq!(
        shown(missing),
        ["1-3 ActiveRecord::RecordNotFound caught: show app/controllers/shops_controller.rb:7"]
    );
}

#[test]
fn puma_and_thin_frames_below_what_was_inspected_documented() {
    let text = "2026-01-02 10:00:00 +0000 Rack app (\"GET /\" - (127.0.0.1)): #<KeyError: key not found: :price>
config.ru:2:in `block in total'
/usr/lib/ruby/gems/3.1.0/gems/puma-5.6.5/lib/puma/request.rb:76:in `handle_request'
- Gracefully stopping";
    assert_eq!(
        shown(text),
        [
            "0-2 KeyError caught: block in total config.ru:2, handle_request /usr/lib/ruby/gems/3.1.0/gems/puma-5.6.5/lib/puma/request.rb:76"
        ]
    );
}

#[test]
fn a_bare_backtrace_of_ruby_needs_two_lines() {
    let one = "/app/a.rb:3:in `run'\nbye";
    assert_eq!(shown(one), [""; 0]);
    let two = "/app/a.rb:3:in `run'\n/app/a.rb:9:in `<main>'\nbye";
    assert_eq!(
        shown(two),
        ["0-1 - caught: run /app/a.rb:3, <main> /app/a.rb:9"]
    );
}

#[test]
fn jruby_documented() {
    let text = "RuntimeError: boom\n  pay at shop.rb:2\n  <main> at shop.rb:5\nbye";
    assert_eq!(
        shown(text),
        ["0-2 RuntimeError caught: pay shop.rb:2, <main> shop.rb:5"]
    );
}

#[test]
fn php_behind_servers_documented() {
    let nginx = "2026/01/02 10:00:00 [error] 7#7: *1 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Exception: no stock in /app/cart.php:3
Stack trace:
#0 /app/index.php(9): add()
#1 {main}
  thrown in /app/cart.php on line 3\" while reading response header from upstream, client: 10.0.0.1
2026/01/02 10:00:01 [notice] 7#7: reload";
    let want = ["0-4 Exception uncaught: - /app/cart.php:3, add /app/index.php:9"];
    assert_eq!(shown(nginx), want);
    let apache = r"[Fri Jan 02 10:00:00.123456 2026] [php:error] [pid 12] [client 10.0.0.1:555] PHP Fatal error:  Uncaught Exception: no stock in /app/cart.php:3\nStack trace:\n#0 /app/index.php(9): add()\n#1 {main}\n  thrown in /app/cart.php on line 3, referer: http://x/
[Fri Jan 02 10:00:01.123456 2026] [core:notice] [pid 12] caught SIGTERM";
    let want = ["0-0 Exception uncaught: - /app/cart.php:3, add /app/index.php:9"];
    assert_eq!(shown(apache), want);
}

#[test]
fn older_php_documented() {
    let text = "PHP Fatal error:  Uncaught exception 'Exception' with message 'first
line' in /app/a.php:3
Stack trace:
#0 {main}

Next exception 'LogicException' with message 'then' in /app/a.php:5
Stack trace:
#0 /app/a.php(9): run('x', NULL)
#1 {main}
  thrown in /app/a.php on line 5
PHP Notice:  Undefined index: x in /app/a.php on line 12";
    assert_eq!(
        shown(text),
        ["0-9 Exception uncaught: - /app/a.php:3, - /app/a.php:5, run /app/a.php:9"]
    );
    let printed =
        "#0  c() called at [/tmp/include.php:10]\n#1  a() called at [/tmp/test.php:3]\nbye";
    assert_eq!(
        shown(printed),
        ["0-1 - caught: c /tmp/include.php:10, a /tmp/test.php:3"]
    );
}

#[test]
fn warnings_of_php_are_no_traces() {
    for line in [
        "PHP Warning:  Undefined variable $x in /app/a.php on line 3",
        "PHP Notice:  Undefined index: x in /app/a.php on line 12",
        "PHP Deprecated:  Function x() is deprecated in /app/a.php on line 3",
        "Warning: foo() expects parameter 1 to be int in /app/a.php on line 3",
        "PHP Stack trace:",
        "a note on Fatal error: handling",
    ] {
        assert_eq!(shown(&format!("{line}\nbye")), [""; 0], "{line}");
    }
}

#[test]
fn laravel_documented() {
    let text = r#"[2026-01-02 10:00:00] production.ERROR: no rate {"userId":7,"exception":"[object] (App\\Exceptions\\NoRate(code: 0): no rate at /app/app/Rates.php:12)
[stacktrace]
#0 /app/app/Http/Controllers/CartController.php(31): App\\Rates->of('xx')
#1 [internal function]: App\\Http\\Controllers\\CartController->show()
#2 /app/public/index.php(52): Illuminate\\Foundation\\Http\\Kernel->handle(Object(Illuminate\\Http\\Request))
#3 {main}
"} 
[2026-01-02 10:00:01] production.INFO: next"#;
    assert_eq!(
        shown(text),
        [
            r"0-6 App\\Exceptions\\NoRate caught: - /app/app/Rates.php:12, App\\Rates->of /app/app/Http/Controllers/CartController.php:31, App\\Http\\Controllers\\CartController->show -:-, Illuminate\\Foundation\\Http\\Kernel->handle /app/public/index.php:52"
        ]
    );
    let found = find(&text.lines().collect::<Vec<_>>());
    assert_eq!(found[0].level, Some(Level::Error));
}

#[test]
fn phoenix_documented() {
    let text = "10:00:00.123 request_id=F1 [info] GET /
10:00:00.124 [error] #PID<0.500.0> running ShopWeb.Endpoint (connection #PID<0.499.0>, stream id 1) terminated
Server: localhost:4000 (http)
Request: GET /
** (exit) an exception was raised:
    ** (RuntimeError) no rate
        (shop 0.1.0) lib/shop_web/controllers/page_controller.ex:5: ShopWeb.PageController.home/2
        (phoenix 1.7.2) lib/phoenix/router.ex:430: Phoenix.Router.__call__/5
10:00:00.125 [info] GET /";
    assert_eq!(
        shown(text),
        [
            "1-7 exit uncaught: ShopWeb.PageController.home/2 lib/shop_web/controllers/page_controller.ex:5, Phoenix.Router.__call__/5 lib/phoenix/router.ex:430"
        ]
    );
    let found = find(&text.lines().collect::<Vec<_>>());
    let root = found[0].trace.root_cause();
    assert_eq!(root.kind.as_deref(), Some("RuntimeError"));
}

#[test]
fn crashed_processes_of_elixir_documented() {
    let text = "10:00:00.124 [error] Process Shop.Worker (#PID<0.500.0>) terminating
** (RuntimeError) no rate
    (shop 0.1.0) lib/shop/worker.ex:9: Shop.Worker.run/1
    (stdlib 4.2) proc_lib.erl:240: :proc_lib.init_p_do_apply/3
Initial Call: Shop.Worker.init/1
Ancestors: [Shop.Supervisor, #PID<0.130.0>]
Message Queue Length: 0
Messages: []
Links: [#PID<0.131.0>]
Dictionary: []
Trapping Exits: false
Status: :running
Heap Size: 1598
Stack Size: 28
Reductions: 1000
10:00:00.124 [error] Child Shop.Worker of Supervisor Shop.Supervisor terminated
** (exit) an exception was raised:
    ** (RuntimeError) no rate
        (shop 0.1.0) lib/shop/worker.ex:9: Shop.Worker.run/1
Pid: #PID<0.500.0>
Start Call: Shop.Worker.start_link([])
Restart: :permanent
Shutdown: 5000
Type: :worker
10:00:01.000 [info] up";
    let frames = "Shop.Worker.run/1 lib/shop/worker.ex:9";
    assert_eq!(
        shown(text),
        [
            format!(
                "0-14 RuntimeError uncaught: {frames}, :proc_lib.init_p_do_apply/3 proc_lib.erl:240"
            ),
            format!("15-23 exit uncaught: {frames}")
        ]
    );
}

#[test]
fn lager_and_single_line_reports_documented() {
    for (text, want) in [
        (
            "2026-01-02 10:00:00.123 [error] <0.494.0> CRASH REPORT Process <0.494.0> with 0 neighbours crashed with reason: no function clause matching shop:pay(1) line 3",
            "0-0 function_clause uncaught: shop:pay(1) -:3",
        ),
        (
            "2026-01-02 10:00:00.123 [error] <0.494.0> gen_server stock terminated with reason: no match of right hand value {error,enoent} in stock:handle_cast/2 line 12",
            "0-0 badmatch uncaught: stock:handle_cast/2 -:12",
        ),
        (
            r#"2026-01-02T10:00:00.123456+00:00 error: Generic server stock terminating. Reason: {badarith,[{stock,pay,1,[{file,"src/stock.erl"},{line,12}]},{gen_server,try_dispatch,4,[{file,"gen_server.erl"},{line,1123}]}]}. Last message: boom. State: 0."#,
            "0-0 badarith caught: stock:pay/1 src/stock.erl:12, gen_server:try_dispatch/4 gen_server.erl:1123",
        ),
        (
            "escript: exception error: bad argument\n  in function  atom_to_list/1\n     called as atom_to_list(1)\n  in call from erl_eval:do_apply/6 (erl_eval.erl, line 689)",
            "0-3 badarg uncaught: atom_to_list/1 -:-, erl_eval:do_apply/6 erl_eval.erl:689",
        ),
    ] {
        assert_eq!(shown(&format!("{text}\nbye")), [want], "{text}");
    }
}

#[test]
fn reports_of_progress_are_no_traces() {
    let text = "=PROGRESS REPORT==== 2-Jan-2026::10:00:00 ===
          supervisor: {local,sasl_safe_sup}
             started: [{pid,<0.40.0>}]

=INFO REPORT==== 2-Jan-2026::10:00:00 ===
    application: shop
    exited: stopped

=ERROR REPORT==== 2-Jan-2026::10:00:00 ===
the shop has no tea
[info] Task 7 of Child x terminated
Connection terminating";
    assert_eq!(shown(text), [""; 0]);
}
