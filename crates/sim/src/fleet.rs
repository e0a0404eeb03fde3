//! A fleet of real agents over months: in-memory journals, real HTTP, one clock that leaps from event to event.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use anyhow::{Context, Result};
use tenure_core::{Clock, Day, Period, Rng, Timestamp};
use tenure_license::Envelope;

use crate::{
    api::Api,
    fate::{FATES, Happening},
    server::{Place, Server, join},
    world::{Provider, SignInCard, Temper, World},
};

/// The time of the server and of all products.
pub trait Time {
    /// The clock that everybody follows.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Moves it.
    fn set(&self, at: Timestamp);
    /// Lets the server do what has fallen due.
    ///
    /// # Errors
    /// When it cannot.
    fn run_due(&self) -> Result<()>;
}

/// The people of the market, who act on days known ahead.
pub trait People {
    /// A provider's license administrator reviews a month and submits it.
    ///
    /// # Errors
    /// When the server refuses what it should take.
    fn review(&self, provider: &Provider, period: Period) -> Result<()>;
    /// A distributor approves what waits for it; a month of `doubtful`, a provider, it rejects.
    ///
    /// # Errors
    /// When the server refuses what it should take.
    fn decide(&self, distributor: &SignInCard, period: Period, doubtful: Option<&Provider>) -> Result<()>;
}

/// What a fleet needs.
pub struct Setting<'a> {
    /// The server.
    pub api: &'a Api,
    /// The market.
    pub world: &'a World,
    /// The trust root that products embed.
    pub root: Envelope,
    /// Time.
    pub time: &'a dyn Time,
    /// The market's people.
    pub people: &'a dyn People,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// When the last of it happens.
    pub until: Timestamp,
}

/// Licenses per provider, in the market's order: 60 in all.
const LICENSES: [usize; 5] = [25, 15, 8, 6, 6];
/// Licenses that come in the last month, with workloads that nobody saw before.
const LATE_COMERS: usize = 1;
/// Months that a neglectful provider leaves unsubmitted, the last one included.
const NEGLECTED: i32 = 3;

/// Servers that go on living.
pub struct Fleet {
    servers: Vec<Server>,
    time: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Server(usize),
    Happens { place: Place, what: Happening },
    Joins { place: Place, late: bool },
    Reviews { provider: usize, period: Period },
    Decides { distributor: usize, period: Period },
}

/// The market while it lives.
struct Life<'a> {
    setting: &'a Setting<'a>,
    /// The last month that is lived through whole.
    last: Period,
    servers: Vec<Server>,
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
}

/// Lives from the clock's present until the setting's end. `progress` is told each day.
///
/// # Errors
/// When the server refuses what it should take.
pub fn live(setting: &Setting<'_>, mut progress: impl FnMut(Day)) -> Result<Fleet> {
    let begin = setting.time.clock().now();
    let last = Period::of(setting.until).prev();
    let mut life = Life { setting, last, servers: Vec::new(), events: BinaryHeap::new() };
    life.schedule(begin);
    let mut today = Day::of(begin);
    while let Some(Reverse((at, event))) = life.events.pop() {
        if at > setting.until {
            break;
        }
        setting.time.set(at.max(setting.time.clock().now()));
        if Day::of(at) > today || !matches!(event, Event::Server(_)) {
            today = today.max(Day::of(at));
            setting.time.run_due()?;
            progress(today);
        }
        life.act(at, event)?;
    }
    setting.time.set(setting.until);
    setting.time.run_due()?;
    Ok(Fleet { servers: life.servers, time: setting.time.clock() })
}

impl Life<'_> {
    /// Everything that people do and that befalls servers, known ahead. The last month is left to the reader.
    fn schedule(&mut self, begin: Timestamp) {
        let (first, last) = (Period::of(begin), self.last);
        for (provider, count) in LICENSES.into_iter().enumerate() {
            for license in 0..count {
                let late = provider == 0 && license >= count - LATE_COMERS;
                // They come one after the other over the first days, as a migration does.
                let from = if late { last.start().plus_days(4) } else { begin };
                let at = from.plus_secs(3600 * (provider + 5 * license) as i64);
                self.push(at, Event::Joins { place: (provider, license), late });
            }
        }
        for fate in &FATES {
            self.push(fate.at(last), Event::Happens { place: (fate.provider, fate.license), what: fate.what });
        }
        let mut period = first;
        while period < last {
            for (provider, who) in self.setting.world.providers.iter().enumerate() {
                let neglects = who.temper == Temper::Neglectful && period.plus(NEGLECTED) > last;
                let day = if who.temper == Temper::ByHand { 8 } else { 3 };
                if !neglects {
                    let at = period.end().plus_days(day).plus_secs(3600 * (9 + provider as i64));
                    self.push(at, Event::Reviews { provider, period });
                }
            }
            for distributor in 0..self.setting.world.distributors.len() {
                let at = period.end().plus_days(9).plus_secs(3600 * (14 + distributor as i64));
                self.push(at, Event::Decides { distributor, period });
            }
            period = period.next();
        }
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        self.events.push(Reverse((at, event)));
    }

    fn act(&mut self, at: Timestamp, event: Event) -> Result<()> {
        let setting = self.setting;
        match event {
            // What is switched off is not asked again before it is switched on.
            Event::Server(n) if self.servers[n].off => {}
            Event::Server(n) => {
                let next = self.servers[n].step(at)?;
                self.push(next, event);
            }
            Event::Happens { place, what } => self.happens(at, place, what)?,
            Event::Joins { place, late } => {
                for server in join(setting, place, late, at)? {
                    self.welcome(at, server);
                }
            }
            Event::Reviews { provider, period } => {
                let who = &setting.world.providers[provider];
                setting.people.review(who, period).with_context(|| format!("{} reviews {period}", who.name))?;
            }
            Event::Decides { distributor, period } => {
                let card = &setting.world.distributors[distributor];
                // One month is rejected, the one before the last of who reports by hand.
                let by_hand = setting.world.providers.iter().find(|who| who.temper == Temper::ByHand);
                let doubtful = by_hand.filter(|who| who.distributor == distributor && period.next() == self.last);
                let decided = setting.people.decide(card, period, doubtful);
                decided.with_context(|| format!("{} decides on {period}", card.organization))?;
            }
        }
        Ok(())
    }

    fn welcome(&mut self, at: Timestamp, server: Server) {
        self.push(at, Event::Server(self.servers.len()));
        self.servers.push(server);
    }

    fn happens(&mut self, at: Timestamp, place: Place, what: Happening) -> Result<()> {
        let n = self.servers.iter().position(|server| server.place == place).context("who it befalls has joined")?;
        let second = self.servers[n].befalls(what, self.last)?;
        if what == Happening::SwitchedOn {
            self.push(at, Event::Server(n));
        }
        if let Some(server) = second {
            self.welcome(at, server);
        }
        Ok(())
    }
}

impl Fleet {
    /// Lets every server do what is due by the clock; gives how many are alive.
    ///
    /// # Errors
    /// When one cannot go on.
    pub fn tick(&mut self) -> Result<usize> {
        let now = self.time.now();
        let mut alive = 0;
        for server in self.servers.iter_mut().filter(|server| !server.off) {
            server.step(now)?;
            alive += 1;
        }
        Ok(alive)
    }
}
