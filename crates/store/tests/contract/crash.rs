//! Dying: what was acknowledged is there, and a failed fsync ends the process.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
};

use futures::future::join_all;
use tenure_store::{
    Queue, Store, StoreError, Tx, audit, params,
    testing::{TestStore, rng},
};

use crate::support::{PUT, create_items, entry, put, second, stored};

/// Set in a child: the database it writes to until it dies.
const CHILD: &str = "TENURE_TEST_CHILD";

/// Runs this very test again as a child process, through `wrapper` if there is one.
fn child(test: &str, url: &str, wrapper: Option<&str>) -> Child {
    let me = std::env::current_exe().expect("a test is an executable");
    let mut command = match wrapper {
        None => Command::new(&me),
        Some(script) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).arg(&me);
            shell
        }
    };
    command.args([test, "--exact", "--nocapture"]).env(CHILD, url);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the child starts")
}

fn on_a_runtime(body: impl AsyncFnOnce()) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(body());
}

/// Writes from 16 clients and prints each id once it was acknowledged.
async fn write_for_ever(url: &str) {
    let store = Store::open(url, rng(3)).await.expect("the database opens");
    // After what earlier children wrote.
    let first = stored(&store).await.last().map_or(0, |last| last / 16 + 1);
    let clients = (0..16_i64).map(async |client| {
        for n in first.. {
            let id = n * 16 + client;
            let write = async move |tx: &mut Tx| {
                put(tx, id).await?;
                tx.audit(entry(id));
                tx.ingest_leaf([client as u8; 32], second(n));
                Ok::<_, StoreError>(())
            };
            store.write(Queue::Products, write).await.expect("it is written");
            println!("acknowledged {id}");
        }
    });
    join_all(clients).await;
}

#[test]
fn what_was_acknowledged_survives_kill_minus_nine() {
    if let Ok(url) = std::env::var(CHILD) {
        return on_a_runtime(async || write_for_ever(&url).await);
    }
    on_a_runtime(async || {
        let test = TestStore::sqlite().await;
        create_items(&test.store).await;
        test.store.close().await;
        let mut acknowledged = Vec::new();
        for round in 1..=5 {
            let name = "crash::what_was_acknowledged_survives_kill_minus_nine";
            let mut writer = child(name, &test.url, None);
            let lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
            let ids = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
            let mut killed = false;
            let mut count = 0;
            // After the kill, what was printed before it is still read: it was acknowledged too.
            for id in ids {
                acknowledged.push(id);
                count += 1;
                if count >= 40 * round && !killed {
                    writer.kill().expect("it can be killed");
                    killed = true;
                }
            }
            let status = writer.wait().expect("it ends");
            assert_eq!(status.signal(), Some(9), "the child died by itself: {status}");

            let store = Store::open(&test.url, rng(4)).await.expect("the database opens after the kill");
            let there = stored(&store).await;
            let lost: Vec<i64> = acknowledged.iter().copied().filter(|id| !there.contains(id)).collect();
            assert!(lost.is_empty(), "lost {lost:?}");
            let report = audit::verify(&store).await.expect("the chain can be read");
            assert!(report.is_clean(), "{report:?}");
            // Whole use cases only: each item has its entry and its leaf.
            assert_eq!(report.lanes[0].leaves, there.len() as u64);
            store.close().await;
        }
        assert!(acknowledged.len() >= 600);
    });
}

/// A file-size limit makes the log's next write fail as a broken disk would: no fsync is tried again.
#[test]
fn e9_an_io_error_at_commit_ends_the_process() {
    if let Ok(url) = std::env::var(CHILD) {
        return on_a_runtime(async || {
            let store = Store::open(&url, rng(3)).await.expect("the database opens");
            let big = "x".repeat(8000);
            for id in 0.. {
                let note = big.clone();
                let write = async move |tx: &mut Tx| tx.execute_one(&PUT, params![id, &note]).await;
                store.write(Queue::People, write).await.expect("it is written, or the process ends");
                println!("acknowledged {id}");
            }
        });
    }
    on_a_runtime(async || {
        let test = TestStore::sqlite().await;
        create_items(&test.store).await;
        test.store.close().await;
        // In blocks of 512 bytes. The signal is ignored so that write() fails with EFBIG, which SQLite takes for an
        // I/O error.
        let limited = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";
        let writer = child("crash::e9_an_io_error_at_commit_ends_the_process", &test.url, Some(limited));
        let output = writer.wait_with_output().expect("it ends");
        assert_eq!(output.status.signal(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8_lossy(&output.stdout);
        let acknowledged = printed.lines().filter(|line| line.starts_with("acknowledged ")).count();
        let store = Store::open(&test.url, rng(4)).await.expect("the database opens again");
        assert!(acknowledged > 5);
        assert!(stored(&store).await.len() >= acknowledged);
        store.close().await;
    });
}
