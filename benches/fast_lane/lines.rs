//! The log that is measured: lines of a made-up web service, the same for the same number. About
//! 300 bytes of JSON each, most of them fine, one or two in a hundred an error; ids, paths, times
//! and sizes vary as they do. Not here: who reads them.

use std::fmt::Write;

/// A generator of numbers (splitmix64), so that every run reads the same.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

const METHODS: [&str; 6] = ["GET", "GET", "GET", "POST", "PUT", "DELETE"];
const THINGS: [&str; 12] = [
    "orders", "carts", "users", "items", "invoices", "vouchers", "parcels", "prices", "stocks",
    "sessions", "reviews", "returns",
];
const LOGGERS: [&str; 6] = [
    "http.server",
    "cart.service",
    "db.pool",
    "cache",
    "queue.worker",
    "auth",
];
const REGIONS: [&str; 3] = ["eu-west-1", "eu-central-1", "us-east-1"];
const HOSTS: [&str; 4] = ["db-1.internal", "db-2.internal", "cache-a", "queue-3"];
const ERRORS: [&str; 5] = [
    "ECONNREFUSED",
    "ETIMEDOUT",
    "deadlock_detected",
    "quota_exceeded",
    "E1042",
];

/// One request, as the service logs it.
struct Request {
    method: &'static str,
    path: String,
    status: u16,
    micros: u64,
    failed: bool,
}

impl Request {
    fn new(random: &mut Random) -> Request {
        let failed = random.below(1_000) < 15;
        let status = match random.below(100) {
            _ if failed => [500, 502, 503][random.below(3) as usize],
            0..4 => 404,
            4..8 => 201,
            8..10 => 302,
            _ => 200,
        };
        let (thing, id) = (random.of(&THINGS), random.below(1_000_000));
        Request {
            method: random.of(&METHODS),
            path: format!("/api/v1/{thing}/{id}"),
            status,
            micros: 300 + random.below(90_000),
            failed,
        }
    }

    fn message(&self, random: &mut Random) -> String {
        let ms = self.micros as f64 / 1_000.0;
        let (method, path, status) = (self.method, &self.path, self.status);
        let id = random.below(10_000_000);
        if self.failed {
            let code = random.of(&ERRORS);
            return match random.below(3) {
                0 => format!(
                    "could not serve {method} {path}: upstream answered {status} after {ms:.1} ms"
                ),
                1 => format!("payment {id} failed: {code}, giving up after 3 attempts"),
                _ => format!(
                    "query on {} was cancelled after {ms:.0} ms: {code}",
                    random.of(&HOSTS)
                ),
            };
        }
        match random.below(20) {
            0..9 => format!("{method} {path} answered {status} in {ms:.1} ms"),
            9 => format!(
                "cache miss for key user:{id}, loading from {}",
                random.of(&HOSTS)
            ),
            10 => format!(
                "cache hit for key cart:{id} ({} bytes)",
                random.below(9_000)
            ),
            11 => format!("user {id} logged in from 10.{}.{}.7", id % 256, id % 199),
            12 => format!("took job {id} from queue mails, {} left", random.below(50)),
            13 => format!("query finished in {ms:.3} ms, {} rows", random.below(400)),
            14 => format!(
                "connection to {}:5432 opened, {} in the pool",
                random.of(&HOSTS),
                id % 20
            ),
            15 => format!("order {id} moved from reserved to paid"),
            16 => format!(
                "sent mail order-paid to user {id}, message <{:x}@shop>",
                random.next()
            ),
            17 => format!("stock of item {id} is now {}", random.below(900)),
            18 => format!("token of session {:016x} refreshed", random.next()),
            _ => format!(
                "voucher {:x} applied to cart {id}, {} % off",
                id,
                random.below(50)
            ),
        }
    }
}

/// Appends line `number`, without its newline.
pub fn service(out: &mut String, number: u64, random: &mut Random) {
    let request = Request::new(random);
    let message = request.message(random);
    let level = match (request.failed, request.status) {
        (true, _) => "error",
        (_, 404) => "warn",
        _ => "info",
    };
    let (seconds, millis) = (number / 500, number % 500 * 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let day = 1 + seconds / 86_400 % 28;
    let _ = write!(
        out,
        "{{\"time\":\"2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z\",\
         \"level\":\"{level}\",\"logger\":\"{}\",\"msg\":\"{message}\",\"method\":\"{}\",\
         \"path\":\"{}\",\"status\":{},\"duration_ms\":{},\"bytes\":{},\
         \"request_id\":\"{:016x}{:016x}\",\"user\":\"u-{}\",\"region\":\"{}\"}}",
        random.of(&LOGGERS),
        request.method,
        request.path,
        request.status,
        request.micros as f64 / 1_000.0,
        random.below(40_000),
        random.next(),
        random.next(),
        random.below(50_000),
        random.of(&REGIONS),
    );
}

/// Appends line `number` as FireLens delivers it: the service's line as a string in `log`.
pub fn firelens(out: &mut String, number: u64, random: &mut Random) {
    let mut inner = String::with_capacity(400);
    service(&mut inner, number, random);
    out.push_str(
        "{\"container_id\":\"b5c1f0d3a2e94f7c8d6b1a0e3f5c7d9b-1849203\",\
         \"container_name\":\"/ecs-shop-7-checkout-b2d3c4d5e6f7a8b9c001\",\"source\":\"stdout\",\
         \"ecs_cluster\":\"shop\",\"ecs_task_arn\":\"arn:aws:ecs:eu-west-1:123456789012:task/shop/\
         b5c1f0d3a2e94f7c8d6b1a0e3f5c7d9b\",\"ecs_task_definition\":\"shop:7\",\"log\":\"",
    );
    for piece in inner.split_inclusive('"') {
        match piece.strip_suffix('"') {
            Some(plain) => {
                out.push_str(plain);
                out.push_str("\\\"");
            }
            None => out.push_str(piece),
        }
    }
    out.push_str("\"}");
}
