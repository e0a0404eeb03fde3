//! Running a program within a time and a size.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

/// How much of an error message is kept, in characters.
const MAX_MESSAGE: usize = 300;
/// How much of stderr is read.
const MAX_STDERR: u64 = 64 * 1024;
/// How long a program that closed its output may take to end.
const END_WAIT: Duration = Duration::from_secs(5);

/// What a program wrote to stdout.
///
/// # Errors
/// One sentence, beginning with the program's name: it cannot be run, takes too long, says too much, or ends with another
/// exit code than 0; then with what it wrote to stderr.
pub(super) fn output(mut command: Command, timeout: Duration, most_bytes: u64) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what it started ends with it.
    let child = command.process_group(0).spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    run_bounded(child, timeout, most_bytes).map_err(|problem| format!("{program}: {problem}"))
}

fn run_bounded(mut child: Child, timeout: Duration, most_bytes: u64) -> Result<Vec<u8>, String> {
    let stdout = read_aside(child.stdout.take(), most_bytes + 1);
    let stderr = read_aside(child.stderr.take(), MAX_STDERR);
    // Its output ends when it does, or when it is killed for taking too long or saying too much.
    let output = stdout.recv_timeout(timeout).map_err(|_| format!("no answer within {} s", timeout.as_secs()));
    let too_much = output.as_ref().is_ok_and(|output| output.len() as u64 > most_bytes);
    if output.is_err() || too_much {
        kill(&mut child);
    }
    let message = stderr.recv_timeout(END_WAIT);
    if message.is_err() {
        // Something it left behind holds on to its stderr.
        kill(&mut child);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let output = output?;
    if too_much {
        return Err(format!("it says more than {most_bytes} bytes"));
    }
    if status.success() {
        return Ok(output);
    }
    let message = message.unwrap_or_default();
    let message = String::from_utf8_lossy(&message);
    let message = message.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("; ");
    let message: String = message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    Err(if message.is_empty() { status.to_string() } else { format!("{status}: {message}") })
}

/// Ends the whole group; an error only says that it has ended by itself.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never blocks the child.
fn read_aside(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is worth having; the exit status says the rest.
            let _ = pipe.take(limit).read_to_end(&mut bytes);
        }
        // Nobody listens any more after a time-out.
        let _ = sender.send(bytes);
    });
    receiver
}
