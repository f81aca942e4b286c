// socks_peer.rs: how long other implementations take for the messages and the
// handshakes of socks_speed.c, whose messages are in a file. Prints a line for
// each: implementation, version, operation, nanoseconds, allocations. With an
// implementation, a version, an operation and a count: runs run_operation()
// alone, for callgrind.
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tor_socksproto as tor;
use tor_socksproto::Handshake;

const BATCH_NS: u128 = 200_000;
const BATCHES: usize = 301;

// ---- memory, counted: one thread, so no atomic addition, which costs ----

struct Counted;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);

fn add(to: &AtomicUsize, count: usize) {
    to.store(to.load(Relaxed).wrapping_add(count), Relaxed);
}

unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(&CALLS, 1);
        add(&LIVE, layout.size());
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        add(&LIVE, layout.size().wrapping_neg());
        System.dealloc(block, layout)
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(&CALLS, 1);
        add(&LIVE, size.wrapping_sub(layout.size()));
        System.realloc(block, layout, size)
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// ---- operations ----

struct Operation {
    implementation: &'static str,
    version: &'static str,
    name: &'static str,
    prepare: Box<dyn FnMut(usize)>, // for so many runs, outside of the time
    run: Box<dyn FnMut()>,
}

fn operation(
    implementation: &'static str,
    version: &'static str,
    name: &'static str,
    run: impl FnMut() + 'static,
) -> Operation {
    let prepare = Box::new(|_| ());
    let run = Box::new(run);
    Operation { implementation, version, name, prepare, run }
}

// What reads from or writes to memory is ready at once: no runtime is needed.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("memory is not ready"),
    }
}

type Messages = HashMap<(String, String), Vec<u8>>;

fn message(all: &Messages, version: &str, name: &str) -> Vec<u8> {
    all[&(version.to_string(), name.to_string())].clone()
}

// ---- socksx: its dialect of SOCKS 6 ----

fn socksx_operations(all: &Messages) -> Vec<Operation> {
    use socksx::socks6;
    let of = |name, run| operation("socksx", "socksx", name, run);
    let _: fn(_, Box<dyn FnMut()>) -> Operation = of;
    let request = message(all, "socksx", "request");
    let short = message(all, "socksx", "short");
    let reply = message(all, "socksx", "reply");
    let parsed = ready(socks6::read_request(&mut &request[..])).unwrap();
    assert_eq!(parsed.clone().into_socks_bytes(), request);
    let waiting = Rc::new(RefCell::new(Vec::new()));
    let filled = waiting.clone();
    let mut out = Vec::with_capacity(64);
    vec![
        of("request-read", Box::new(move || {
            black_box(ready(socks6::read_request(&mut &request[..])).unwrap());
        })),
        Operation {
            // It consumes its request: copies are made outside of the time.
            prepare: Box::new(move |count| {
                filled.borrow_mut().resize(count, parsed.clone());
            }),
            ..of("request-write", Box::new(move || {
                let request = waiting.borrow_mut().pop().unwrap();
                black_box(request.into_socks_bytes());
            }))
        },
        of("short-read", Box::new(move || {
            black_box(ready(socks6::read_request(&mut &short[..])).unwrap());
        })),
        of("reply-read", Box::new(move || {
            black_box(ready(socks6::read_reply(&mut &reply[..])).unwrap());
        })),
        of("reply-write", Box::new(move || {
            out.clear();
            ready(socks6::write_reply(&mut out, socks6::Socks6Reply::Success)).unwrap();
            black_box(&out);
        })),
    ]
}

// ---- socks5-proto ----

fn socks5_proto_operations(all: &Messages) -> Vec<Operation> {
    use socks5_proto::{Request, Response, UdpHeader};
    let of = |name, run| operation("socks5-proto", "5", name, run);
    let _: fn(_, Box<dyn FnMut()>) -> Operation = of;
    let request = message(all, "5", "request");
    let short = message(all, "5", "short");
    let reply = message(all, "5", "reply");
    let datagram = message(all, "5", "datagram");
    let parsed = ready(Request::read_from(&mut &request[..])).unwrap();
    let answer = ready(Response::read_from(&mut &reply[..])).unwrap();
    let header = ready(UdpHeader::read_from(&mut &datagram[..])).unwrap();
    let mut out = Vec::with_capacity(512);
    parsed.write_to_buf(&mut out);
    assert_eq!(out, request);
    out.clear();
    answer.write_to_buf(&mut out);
    assert_eq!(out, reply);
    out.clear();
    header.write_to_buf(&mut out);
    assert!(datagram.starts_with(&out));
    let (mut second, mut third) = (out.clone(), out.clone());
    vec![
        of("request-read", Box::new(move || {
            black_box(ready(Request::read_from(&mut &request[..])).unwrap());
        })),
        of("request-write", Box::new(move || {
            out.clear();
            parsed.write_to_buf(&mut out);
            black_box(&out);
        })),
        of("short-read", Box::new(move || {
            black_box(ready(Request::read_from(&mut &short[..])).unwrap());
        })),
        of("reply-read", Box::new(move || {
            black_box(ready(Response::read_from(&mut &reply[..])).unwrap());
        })),
        of("reply-write", Box::new(move || {
            second.clear();
            answer.write_to_buf(&mut second);
            black_box(&second);
        })),
        of("datagram-read", Box::new(move || {
            black_box(ready(UdpHeader::read_from(&mut &datagram[..])).unwrap());
        })),
        of("header-write", Box::new(move || {
            third.clear();
            header.write_to_buf(&mut third);
            black_box(&third);
        })),
    ]
}

// ---- tor-socksproto: handshakes without I/O ----

fn tor_request(login: bool) -> tor::SocksRequest {
    let name = "ehr.antonius.example".to_string();
    let auth = if login {
        tor::SocksAuth::Username(b"anna".to_vec(), b"correct horse".to_vec())
    } else {
        tor::SocksAuth::NoAuth
    };
    let addr = tor::SocksAddr::Hostname(name.try_into().unwrap());
    tor::SocksRequest::new(tor::SocksVersion::V5, tor::SocksCmd::CONNECT, addr, 443, auth).unwrap()
}

fn carry(data: &[u8], to: &mut tor::Buffer) {
    to.unfilled_slice()[..data.len()].copy_from_slice(data);
    to.note_received(data.len().try_into().unwrap());
}

fn tor_handshake(request: &tor::SocksRequest) {
    let mut client = tor::SocksClientHandshake::new(request.clone());
    let mut server = tor::SocksProxyHandshake::new();
    let (mut to_client, mut to_server) = (tor::Buffer::new(), tor::Buffer::new());
    loop {
        match client.step(&mut to_client).unwrap() {
            tor::NextStep::Send(data) => carry(&data, &mut to_server),
            tor::NextStep::Recv(_) => panic!("the client waits"),
            tor::NextStep::Finished(end) => {
                black_box(end.into_output_forbid_pipelining().unwrap());
                return;
            }
        }
        match server.step(&mut to_server).unwrap() {
            tor::NextStep::Send(data) => carry(&data, &mut to_client),
            tor::NextStep::Recv(_) => panic!("the server waits"),
            tor::NextStep::Finished(end) => {
                let asked = end.into_output_forbid_pipelining().unwrap();
                let reply = asked.reply(tor::SocksStatus::SUCCEEDED, None).unwrap();
                carry(&reply, &mut to_client);
            }
        }
    }
}

fn tor_operations() -> Vec<Operation> {
    let of = |name, login| {
        let request = tor_request(login);
        operation("tor-socksproto", "5", name, move || tor_handshake(&request))
    };
    vec![of("handshake", false), of("handshake-login", true)]
}

// A session of a server that waits, as it would lie in a caller's struct.
fn tor_session_bytes() -> usize {
    let before = LIVE.load(Relaxed);
    let session = Box::new((tor::SocksProxyHandshake::new(), <tor::Buffer>::new()));
    let bytes = LIVE.load(Relaxed) - before;
    black_box(session);
    bytes
}

// ---- time ----

// callgrind counts in here, and knows it by its name.
#[inline(never)]
#[no_mangle]
pub extern "C" fn run_operation(run: &mut Box<dyn FnMut()>, count: usize) {
    for _ in 0..count {
        run();
    }
}

fn batch(one: &mut Operation, count: usize) -> u128 {
    (one.prepare)(count);
    let start = Instant::now();
    run_operation(&mut one.run, count);
    start.elapsed().as_nanos()
}

fn median_ns(one: &mut Operation) -> f64 {
    let mut count = 1;
    while batch(one, count) < BATCH_NS {
        count *= 2;
    }
    let mut times: Vec<_> = (0..BATCHES).map(|_| batch(one, count)).collect();
    times.sort();
    times[BATCHES / 2] as f64 / count as f64
}

fn allocations(one: &mut Operation) -> usize {
    (one.prepare)(2);
    (one.run)();
    let before = CALLS.load(Relaxed);
    (one.run)();
    CALLS.load(Relaxed) - before
}

fn read_messages(path: &str) -> Messages {
    let hex = |text: &str| {
        let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digits).collect()
    };
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|f| ((f[0].to_string(), f[1].to_string()), hex(f[2])))
        .collect()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let messages = read_messages(&args[1]);
    let mut all = tor_operations();
    all.extend(socks5_proto_operations(&messages));
    all.extend(socksx_operations(&messages));
    if let [_, _, implementation, version, name, count] = &args[..] {
        let count = count.parse().unwrap();
        all.retain(|o| (o.implementation, o.version, o.name)
            == (implementation.as_str(), version.as_str(), name.as_str()));
        (all[0].prepare)(count);
        run_operation(&mut all[0].run, count);
        return;
    }
    for one in &mut all {
        let (counted, ns) = (allocations(one), median_ns(one));
        println!("{}\t{}\t{}\t{ns:.1}\t{counted}", one.implementation, one.version, one.name);
    }
    println!("tor-socksproto\t5\tsession-bytes\t{}\t0", tor_session_bytes());
}
