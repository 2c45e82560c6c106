use std::thread;

fn main() {
    let workers: Vec<_> = (0..2)
        .map(|n| {
            let work = move || {
                thread::sleep(std::time::Duration::from_millis(50 * n));
                assert_eq!(n + 1, 7, "job {n} is off\nsecond line of the message");
            };
            thread::Builder::new().name(format!("worker-{n}")).spawn(work).unwrap()
        })
        .collect();
    for worker in workers {
        println!("worker ended well: {}", worker.join().is_ok());
    }
    println!("main goes on");
}
