//! A connection whose other side has one time for everything: each read and each write waits for what is left of it.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use tenure_core::Clock;

/// A connection until an instant. A time-out by call alone would let a peer that takes a byte now and then stay for ever.
pub(super) struct Timed<'a> {
    stream: &'a TcpStream,
    /// The machine's own: a test clock that stands still would wait for ever.
    clock: &'a dyn Clock,
    until_us: i64,
}

impl<'a> Timed<'a> {
    pub(super) fn new(stream: &'a TcpStream, clock: &'a dyn Clock, time: Duration) -> Self {
        Self { stream, clock, until_us: clock.boot().elapsed_us + time.as_micros() as i64 }
    }

    /// The same, ending earlier when `time` is less than what is left.
    #[must_use]
    pub(super) fn at_most(self, time: Duration) -> Self {
        let until_us = self.until_us.min(self.clock.boot().elapsed_us + time.as_micros() as i64);
        Self { until_us, ..self }
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until_us - self.clock.boot().elapsed_us;
        let left = u64::try_from(left).ok().filter(|left| *left > 0).ok_or(io::ErrorKind::TimedOut)?;
        Ok(Duration::from_micros(left))
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        let mut stream = self.stream;
        stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        net::TcpListener,
        sync::atomic::{AtomicI64, Ordering},
    };

    use tenure_core::{Boot, BootId, Timestamp};

    use super::*;

    /// A clock that goes on by a step each time it is looked at.
    pub(in super::super) struct Stepping {
        elapsed_us: AtomicI64,
        step_us: i64,
    }

    impl Stepping {
        pub(in super::super) fn by(step: Duration) -> Self {
            Self { elapsed_us: AtomicI64::new(0), step_us: step.as_micros() as i64 }
        }
    }

    impl Clock for Stepping {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }
        fn boot(&self) -> Boot {
            let elapsed_us = self.elapsed_us.fetch_add(self.step_us, Ordering::SeqCst);
            Boot { id: BootId(uuid::Uuid::nil()), elapsed_us }
        }
    }

    /// Both ends of a connection.
    pub(in super::super) fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn all_reads_together_have_one_time() {
        let (near, mut far) = connection();
        far.write_all(&[7; 100]).unwrap();
        let clock = Stepping::by(Duration::from_secs(3));
        let mut timed = Timed::new(&near, &clock, Duration::from_secs(10));
        let mut byte = [0];
        for _ in 0..3 {
            assert_eq!(timed.read(&mut byte).unwrap(), 1);
        }
        assert_eq!(timed.read(&mut byte).unwrap_err().kind(), io::ErrorKind::TimedOut, "though there is more to read");
        let clock = Stepping::by(Duration::from_secs(3));
        let mut shorter = Timed::new(&near, &clock, Duration::from_secs(10)).at_most(Duration::from_secs(4));
        assert_eq!(shorter.read(&mut byte).unwrap(), 1);
        assert_eq!(shorter.read(&mut byte).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let clock = Stepping::by(Duration::from_secs(3));
        let mut not_longer = Timed::new(&near, &clock, Duration::from_secs(5)).at_most(Duration::from_mins(1));
        assert_eq!(not_longer.read(&mut byte).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
