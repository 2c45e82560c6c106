//! 500 faults in which every text of others is hostile: nothing in their orders acts, all of it
//! stays under the limits, and the Markdown stays what it is.

use crate::checker::{Ours, acts, complaints, headings};
use crate::world::{Change, LINKS, SUSPECT, World, change};
use autofix::deliver::order::{Earlier, HEADINGS, order};
use autofix::investigate::Onward;
use autofix::model::delivery::{ForgeKind, Order};
use autofix::model::{Block, ContextLine, Kind, Raised};
use autofix::patch::verify::{Verdict, Verified};
use regex::Regex;
use std::sync::LazyLock;

const CASES: u64 = 500;

/// What a host or a reader could be made to act on, a kind a line.
const HOSTILE: [&str; 52] = [
    "@somebody",
    "@org/team",
    "fixes #1",
    "Closes: #12",
    "resolves acme/shop#3",
    "GH-7",
    "closes ABC-12",
    "/close",
    "/merge\n/approve",
    "\n/assign me",
    "!1",
    "~bug",
    "%milestone",
    "&4",
    "$2",
    "^alert#1",
    "http://evil.example/x",
    "https://evil.example",
    "www.evil.example",
    "mail me@evil.example now",
    "mailto:me@evil.example",
    "xmpp:me@evil.example",
    "[x](https://evil.example/)",
    "[x]: https://evil.example/",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "<img src=x onerror=y>",
    "<script>x()</script>",
    "<!-- comment -->",
    "<details><summary>",
    "# Heading",
    "\n## If you do not want it\n",
    "Setext\n=====",
    "\n---\n",
    "- [ ] task",
    "- [x] done",
    "> quote",
    "[^1]",
    "[^1]: note",
    "a | b\n--|--\n1 | 2",
    "```\nend of the fence\n```",
    "`````",
    "~~~\n~~~",
    "`one` `` two ` ``",
    "\u{202e}txet\u{202c}",
    "zero\u{200b}width\u{feff}\u{2060}",
    "\u{1b}[31mred\u{7}",
    "deadbeef 0123456789abcdef0123456789abcdef01234567",
    "[skip ci] ***NO_CI***",
    "\n\nCo-authored-by: x <x@evil.example>\nskip-checks: true",
    "&commat;somebody &#64;x &lt;b&gt;",
    "$x^2$ $`y`$ :tada: **bold** _it_ ~~no~~",
];

const PATHS: [&str; 14] = [
    "orders/vouchers.py",
    "a b/@org/team.py",
    "fixes #1.py",
    "[x](http:/evil.example).py",
    "![x](y).py",
    "www.evil.example/x.py",
    "<img src=x>/y.py",
    "GH-1/ABC-2.py",
    "`x`/``y.py",
    "deadbeef00/0123456789abcdef.py",
    "\u{202e}yp.x/\u{200b}.py",
    "~bug/%milestone/!1 &2.py",
    "me@evil.example/x.py",
    "@somebody/# Heading/- [ ] x.py",
];

const SERVICES: [&str; 7] = [
    "orders",
    "GH-1",
    "fixes-ABC-12",
    "www.evil.example",
    "deadbeef0",
    "a.b_c-d",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
];

/// Numbers that look thrown; the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn text(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..=self.below(4) {
            out.push_str(self.one(&HOSTILE));
            out.push_str(self.one(&["", " ", " ", "\n", "é", "😀 "]));
        }
        match self.below(30) {
            0 => out.repeat(self.below(200)),
            1 => "😀".repeat(self.below(6_000)),
            2 => "`".repeat(self.below(3_000)),
            3 => "\u{e0041}@a ".repeat(self.below(3_000)),
            _ => out,
        }
    }

    fn texts(&mut self, most: usize) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| self.text()).collect()
    }
}

fn hostile(seed: u64, changes: &[Change]) -> World {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let change = &changes[dice.below(changes.len())];
    let by_model = dice.below(2) == 0;
    let mut world = match by_model {
        true => World::proven(change),
        false => World::revert(change),
    };
    let incident = &mut world.incident;
    incident.service = dice.one(&SERVICES).to_owned();
    incident.kind = Kind::ALL[dice.below(Kind::ALL.len())];
    incident.title = dice.text();
    incident.reason = dice.text();
    incident.stream = dice.text();
    incident.watch = (dice.below(2) == 0).then(|| dice.text());
    incident.count = u64::try_from(dice.below(1 << 30)).unwrap();
    let long = if dice.below(12) == 0 { 500 } else { 20 };
    incident.lines = dice.texts(long);
    incident.lines.push("password=hunter2".to_owned());
    let time = incident.first_seen;
    let around = dice.texts(long / 2).into_iter().map(|text| ContextLine {
        time,
        text,
        from: None,
    });
    incident.context = around.collect();
    if let Some(line) = incident.context.first_mut() {
        line.from = Some(dice.text());
    }
    if let Some(trace) = &mut incident.trace {
        let raised = |dice: &mut Dice| Raised {
            kind: Some(dice.text()),
            message: Some(dice.text()),
        };
        trace.blocks = vec![
            Block {
                raised: raised(&mut dice),
                frames: 0..1,
            },
            Block {
                raised: raised(&mut dice),
                frames: 1..1,
            },
        ];
        trace.outermost = dice.below(2);
    }
    if dice.below(4) == 0 {
        incident.trace = None;
    }
    findings(&mut world, &mut dice);
    world.settings.forge.base = (dice.below(2) == 0).then(|| dice.text());
    world.kind = ForgeKind::ALL[dice.below(4)];
    world.round = u32::try_from(dice.below(3)).unwrap();
    world.earlier = (0..dice.below(9))
        .map(|_| Earlier {
            pull: dice.text(),
            outcome: dice.text(),
            came_back: 2,
        })
        .collect();
    world.codeowners = (dice.below(2) == 0).then(|| dice.text());
    world
}

fn findings(world: &mut World, dice: &mut Dice) {
    let found = &mut world.findings;
    found.why = dice.text();
    if let Some(place) = &mut found.location {
        place.file = [dice.text(), dice.one(&PATHS).to_owned()][dice.below(2)].clone();
    }
    for frame in &mut found.located {
        frame.file = dice.one(&PATHS).to_owned();
        frame.function = Some(dice.text());
        frame.why = dice.text();
    }
    for suspect in &mut found.suspects {
        suspect.author = Some(dice.text());
        suspect.summary = dice.text();
        suspect.why = dice.text();
        if dice.below(8) == 0 {
            suspect.commit = dice.text();
        }
    }
    if let Some(by) = &mut found.by_model {
        by.model = dice.text();
        by.cause = dice.text();
        by.risk = dice.text();
        by.verify = dice.text();
        by.evidence = dice.texts(20);
        by.unsure = dice.texts(9);
        by.notes = dice.texts(9);
        by.passed = dice
            .texts(9)
            .into_iter()
            .map(|text| (text, String::new()))
            .collect();
    }
    match (dice.below(4), &mut found.verified) {
        (0, verified) => *verified = Some(Verified::NotRunHere(dice.text())),
        (1, verified) => *verified = None,
        (_, Some(Verified::Ran(ran))) => {
            ran.verdict = Verdict::Inconclusive(dice.text());
            ran.with_fix.passed = false;
            ran.with_fix.output = dice.texts(80).join("\n");
            ran.notes = dice.texts(9);
        }
        (_, _) => {}
    }
    if let (0, Some(patch)) = (dice.below(2), found.patch.clone()) {
        found.onward = Some(Onward::Same { patch });
    }
}

/// Everything that is wrong with an order.
fn wrong(order: &Order, base: &str) -> Vec<String> {
    let further = [
        "The log around it",
        "The lines of the fault",
        "The cause",
        "The risk",
    ];
    let ours = Ours {
        links: &[LINKS],
        further: &further,
    };
    let mut out = complaints(&order.body, &ours);
    let found = headings(&order.body);
    let wanted: Vec<&str> = HEADINGS
        .into_iter()
        .filter(|heading| *heading != "Earlier rounds" || found.iter().any(|one| one == heading))
        .collect();
    if found != wanted {
        out.push(format!("headings {found:?}"));
    }
    for rest in &order.rest {
        out.extend(
            complaints(rest, &ours)
                .into_iter()
                .map(|one| format!("rest: {one}")),
        );
    }
    if order.rest.len() > 5 {
        out.push("more than 5 comments".to_owned());
    }
    let ids = [SUSPECT, &SUSPECT[..12], base, &base[..12]];
    let plain = |text: &str| {
        ids.iter()
            .fold(text.to_owned(), |text, id| text.replace(id, ""))
    };
    let title = plain(&order.title);
    out.extend(acts(&title).into_iter().map(|one| format!("title: {one}")));
    out.extend(
        complaints(&title, &ours)
            .into_iter()
            .map(|one| format!("title: {one}")),
    );
    if order.title.chars().count() > 120 || order.title.contains('\n') {
        out.push(format!("title: {}", order.title));
    }
    let (words, trailers) = order.message.split_once("\n\nAutofix-Service: ").unwrap();
    out.extend(
        acts(&plain(words))
            .into_iter()
            .map(|one| format!("message: {one}")),
    );
    let keys: Vec<&str> = trailers
        .lines()
        .skip(1)
        .filter_map(|line| line.split(':').next())
        .collect();
    if keys != ["Autofix-Fingerprint", "Autofix-Round", "Autofix-Change"] {
        out.push(format!("trailers {keys:?}"));
    }
    if words.lines().next().unwrap().chars().count() > 72 || words.lines().count() > 6 {
        out.push(format!("message: {words}"));
    }
    // Some hosts make the body the message of the merged commit.
    static ACTING: LazyLock<Regex> = LazyLock::new(|| {
        let skips = r"\[skip ci\]|\[ci skip|\*\*\*NO_CI|skip-checks:";
        Regex::new(&format!(r"(?i){skips}|(fixes|closes|closes:) (#|ABC-)\d")).unwrap()
    });
    for text in std::iter::once(&order.body).chain(&order.rest) {
        out.extend(
            ACTING
                .find(text)
                .map(|hit| format!("raw: {}", hit.as_str())),
        );
    }
    let all = [&order.title, &order.message, &order.body]
        .into_iter()
        .chain(&order.rest);
    out.extend(
        all.filter(|text| text.contains("hunter2"))
            .map(|_| "a secret".to_owned()),
    );
    out
}

#[test]
fn nothing_in_the_orders_of_500_hostile_faults_acts() {
    let changes: Vec<Change> = PATHS.iter().map(|path| change(path)).collect();
    let (mut longest, mut comments) = (0, 0);
    for seed in 1..=CASES {
        let world = hostile(seed, &changes);
        let made = order(&world.material()).unwrap();
        let wrong = wrong(&made, &world.base);
        assert!(
            wrong.is_empty(),
            "seed {seed}: {wrong:#?}\n{}\n{}",
            made.title,
            made.body
        );
        longest = longest.max(made.body.chars().count());
        comments += made.rest.len();
    }
    // The limits were near: large faults were among them.
    assert!(longest > 20_000 && comments > 20, "{longest} {comments}");
    println!("{CASES} orders; the longest body has {longest} characters; {comments} comments");
}
