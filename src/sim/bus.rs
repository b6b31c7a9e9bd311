//! The virtual bus: ports with devices on them, behind the same two traits as a real one.
//!
//! A [`SimBus`] is a handle; its clones see the same world, so a test can pull plugs while the
//! program under test owns the bus. Whoever asks moves the world to the present: between two calls
//! nothing runs. Those who work at once are participants ([`SimBus::participant`]), each with a
//! time of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::clock::{VirtualClock, in_nanoseconds};
use super::device::Device;
use super::diagnostic::{Diagnostic, Unmodelled};
use super::faults::Faults;
use super::hub::{Feed, Hub, HubKind, HubLink};
use super::parts::Wear;
use super::port::{Numbers, Port, RESET_NS};
use super::scenarios::Scenario;
use crate::clock::Clock;
use crate::usb::{
    Bus, BusError, Link, PortPath, PowerError, Reply, Sighting, Transfer, TransferError, Use, hub,
};

/// How long hands take from pulling a plug to putting it back.
const REPLUG: Duration = Duration::from_secs(2);
/// What it takes to look at the bus; keeps a loop that only looks from standing still.
const SCAN: Duration = Duration::from_millis(1);
/// How long a device may take to show up when it is first put on a port.
const SETTLE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct World {
    ports: BTreeMap<PortPath, Port>,
    numbers: Numbers,
    hubs: BTreeMap<PortPath, Hub>,
    uses: BTreeMap<PortPath, Vec<Use>>,
}

/// A virtual bus, and the hands of whoever stands in front of it.
#[derive(Clone, Default)]
pub struct SimBus {
    world: Arc<Mutex<World>>,
    clock: Arc<VirtualClock>,
}

/// An EEPROM as a clip-on programmer would find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EepromState {
    /// Every byte, from address 0.
    pub bytes: Vec<u8>,
    /// Write cycles so far.
    pub wear: Wear,
}

impl SimBus {
    /// A bus without devices, at time zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// A bus whose dates begin at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { clock: Arc::new(VirtualClock::starting_at(start)), ..Self::default() }
    }

    /// The port on which a scenario's device sits.
    pub fn scenario_port() -> PortPath {
        PortPath::new(3, vec![2])
    }

    /// The same bus for one more who works at it at once, with a clock of its own, from now on.
    /// The first thing it does there should be to wait, if only for no time: that gives it its
    /// turn. Until every clone of it is dropped, nobody whose time is later goes on without it.
    #[must_use]
    pub fn participant(&self) -> Self {
        Self { world: Arc::clone(&self.world), clock: Arc::new(self.clock.participant()) }
    }

    /// The ports of a bench, in order: eight to a hub, hub after hub, from 3-1.1 on.
    pub fn bench_port(index: u8) -> PortPath {
        PortPath::new(3, vec![index / 8 + 1, index % 8 + 1])
    }

    /// A bus with the scenario's device on [`Self::scenario_port`], plugged in long enough to be
    /// where it gets by itself.
    pub fn with_scenario(scenario: &Scenario) -> Self {
        let bus = Self::new();
        bus.add_scenario(scenario);
        bus
    }

    /// Puts the scenario's device on [`Self::scenario_port`].
    pub fn add_scenario(&self, scenario: &Scenario) {
        self.plug_in(Self::scenario_port(), scenario.device(), scenario.faults());
    }

    /// Puts a device on a port, in place of any other, and waits until it has enumerated (at most
    /// a minute of virtual time).
    pub fn plug_in(&self, path: PortPath, device: Box<dyn Device>, faults: Faults) {
        let mut port = Port::new(path.clone(), device);
        port.power(true, self.clock.nanoseconds());
        port.disturbed.replace(faults);
        self.world().ports.insert(path.clone(), port);
        self.wait_for_enumeration(&path);
    }

    /// Has a device put on a port at a time on this bus; it is there when somebody looks then.
    pub fn plug_in_at(
        &self,
        time: Duration,
        path: PortPath,
        device: Box<dyn Device>,
        faults: Faults,
    ) {
        let mut port = Port::new(path.clone(), device);
        port.plug_at(in_nanoseconds(time));
        port.disturbed.replace(faults);
        self.world().ports.insert(path, port);
    }

    /// Waits until the device on that port has enumerated, at most a minute of virtual time.
    pub fn wait_for_enumeration(&self, path: &PortPath) {
        let end = self.clock.now() + SETTLE;
        while self.sighting(path).is_none() && self.clock.now() < end {
            self.clock.sleep(Duration::from_millis(50));
        }
    }

    /// What the host sees on that port now.
    pub fn sighting(&self, port: &PortPath) -> Option<Sighting> {
        self.with_port(port, |port, _, _| port.sighting.clone()).flatten()
    }

    /// Has the owner use what lies behind the device on that port; nobody does where `uses` is
    /// empty.
    pub fn set_uses(&self, port: &PortPath, uses: Vec<Use>) {
        self.world().uses.insert(port.clone(), uses);
    }

    fn uses(&self, port: &PortPath) -> Vec<Use> {
        self.world().uses.get(port).cloned().unwrap_or_default()
    }

    fn is_unused(&self, port: &PortPath) -> Result<(), BusError> {
        let uses = self.uses(port);
        if uses.is_empty() {
            return Ok(());
        }
        Err(BusError::InUse { port: port.clone(), uses })
    }

    /// Pulls the plug.
    pub fn unplug(&self, port: &PortPath) {
        self.with_port(port, |port, now, _| port.power(false, now));
    }

    /// Puts the plug back in; the device shows up when it has booted and enumerated.
    pub fn plug(&self, port: &PortPath) {
        self.with_port(port, |port, now, _| port.power(true, now));
    }

    /// Gives the hub that `port` belongs to a kind; without one no hub is known and nothing
    /// switches its ports.
    pub fn put_hub(&self, port: &PortPath, kind: HubKind) {
        if let Some(hub) = port.hub() {
            self.world().hubs.insert(hub, Hub::new(kind));
        }
    }

    /// Gives the enclosure on that port a supply of its own: without VBUS it leaves the bus and
    /// keeps running, until its plug is pulled.
    pub fn give_own_supply(&self, port: &PortPath) {
        self.with_port(port, |port, _, _| port.self_powered = true);
    }

    /// Interrupts the VBUS line of a port, or closes it again.
    pub fn feed(&self, port: &PortPath, feed: Feed, on: bool) {
        self.with_port(port, |port, now, _| port.feed(feed, on, now));
    }

    /// Holds the data line of that EEPROM at ground, or lets it go.
    pub fn short_eeprom(&self, port: &PortPath, shorted: bool) {
        self.with_port(port, |port, _, _| {
            if let Some(part) = port.device.eeprom_mut() {
                part.short(shorted);
            }
        });
    }

    /// Does something with the hub of that path.
    pub(super) fn with_hub_at<T>(
        &self,
        hub: &PortPath,
        act: impl FnOnce(&mut Hub) -> T,
    ) -> Option<T> {
        self.world().hubs.get_mut(hub).map(act)
    }

    fn switch(&self, port: &PortPath, on: bool) -> Result<(), PowerError> {
        let unknown = || PowerError::NotSwitchable("no hub is known at its port".to_owned());
        let path = port.hub().ok_or_else(unknown)?;
        self.with_hub_at(&path, |_| ()).ok_or_else(unknown)?;
        hub::switch(&mut HubLink { bus: self.clone(), hub: path }, port, false, on)
    }

    /// Pulls the plug, waits two seconds and puts it back.
    pub fn replug(&self, port: &PortPath) {
        self.unplug(port);
        self.clock.sleep(REPLUG);
        self.plug(port);
    }

    /// Replaces the faults of the device on that port.
    pub fn set_faults(&self, port: &PortPath, faults: Faults) {
        self.with_port(port, |port, _, _| port.disturbed.replace(faults));
    }

    /// Transfers made to the device on that port so far; the host's enumeration is not counted.
    pub fn transfers(&self, port: &PortPath) -> u64 {
        self.with_port(port, |port, _, _| port.disturbed.transfers()).unwrap_or_default()
    }

    /// Keeps a line for every transfer from now on.
    pub fn keep_log(&self, port: &PortPath) {
        self.with_port(port, |port, _, _| port.log.get_or_insert_default().clear());
    }

    /// The lines kept: time, transfer, outcome.
    pub fn log(&self, port: &PortPath) -> Vec<String> {
        self.with_port(port, |port, _, _| port.log.clone()).flatten().unwrap_or_default()
    }

    /// The EEPROM behind the device on that port.
    pub fn eeprom(&self, port: &PortPath) -> Option<EepromState> {
        self.with_port(port, |port, _, _| {
            let part = port.device.eeprom()?;
            Some(EepromState { bytes: part.content(), wear: part.wear().clone() })
        })
        .flatten()
    }

    /// The bytes of that EEPROM as they are, without moving the port to the present: nothing is
    /// changed by it, whoever works at the port and whatever the time is here.
    pub fn eeprom_bytes(&self, port: &PortPath) -> Option<Vec<u8>> {
        self.world().ports.get(port)?.device.eeprom().map(|part| part.content())
    }

    /// Puts bytes into that EEPROM behind the chip's back; FF follows them.
    pub fn load_eeprom(&self, port: &PortPath, content: &[u8]) {
        self.with_port(port, |port, _, _| {
            if let Some(part) = port.device.eeprom_mut() {
                part.load(content);
            }
        });
    }

    /// What the device on that port noticed about the program it runs.
    pub fn diagnostics(&self, port: &PortPath) -> Vec<Diagnostic> {
        self.with_port(port, |port, _, _| port.device.diagnostics().to_vec()).unwrap_or_default()
    }

    /// What the program on that port asked that its model has no answer to.
    pub fn unmodelled(&self, port: &PortPath) -> Vec<Unmodelled> {
        self.with_port(port, |port, _, _| port.device.unmodelled().to_vec()).unwrap_or_default()
    }

    /// Time passed on this bus since it was made.
    pub fn virtual_time(&self) -> Duration {
        self.clock.now()
    }

    /// The bus's clock, as the simulator's own type.
    pub fn virtual_clock(&self) -> Arc<VirtualClock> {
        Arc::clone(&self.clock)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a port that has been brought to the present.
    fn with_port<T>(
        &self,
        path: &PortPath,
        act: impl FnOnce(&mut Port, u64, &mut Numbers) -> T,
    ) -> Option<T> {
        let now = self.clock.nanoseconds();
        let mut world = self.world();
        let World { ports, numbers, .. } = &mut *world;
        let port = ports.get_mut(path)?;
        port.advance_to(now, numbers);
        Some(act(port, now, numbers))
    }
}

impl Bus for SimBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.clock.sleep(SCAN);
        let now = self.clock.nanoseconds();
        let mut world = self.world();
        let World { ports, numbers, .. } = &mut *world;
        let mut seen = Vec::new();
        for port in ports.values_mut() {
            port.advance_to(now, numbers);
            seen.extend(port.sighting.clone());
        }
        Ok(seen)
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        self.is_unused(&seen.port)?;
        match self.sighting(&seen.port) {
            Some(now) if now.is_same_enumeration(seen) => Ok(Box::new(SimLink {
                bus: self.clone(),
                port: seen.port.clone(),
                number: seen.device_number,
            })),
            _ => Err(BusError::Left(seen.port.clone())),
        }
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.is_unused(&seen.port)?;
        match self.sighting(&seen.port) {
            Some(now) if now.is_same_enumeration(seen) => {}
            _ => return Err(BusError::Left(seen.port.clone())),
        }
        self.clock.advance_to(self.clock.nanoseconds() + RESET_NS);
        let reached = self.with_port(&seen.port, |port, _, numbers| {
            port.enumerate_again(numbers);
            port.device.now()
        });
        self.clock.advance_to(reached.unwrap_or_default());
        Ok(())
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        let uses = self.uses(&seen.port);
        if !uses.is_empty() {
            return Err(PowerError::InUse { port: seen.port.clone(), uses });
        }
        match self.sighting(&seen.port) {
            Some(now) if now.is_same_enumeration(seen) => self.switch(&seen.port, false),
            _ => Err(PowerError::Left(seen.port.clone())),
        }
    }

    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        self.switch(port, true)
    }

    fn silent_ports(&mut self) -> Vec<PortPath> {
        let world = self.world();
        let silent = world.ports.values().filter(|port| port.is_silent());
        silent.map(|port| port.path.clone()).collect()
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.is_unused(&seen.port)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.virtual_clock()
    }
}

/// A link to one enumeration of one device.
struct SimLink {
    bus: SimBus,
    port: PortPath,
    number: u8,
}

impl Link for SimLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let done = self.bus.with_port(&self.port, |port, now, _| {
            let result = port.exchange(transfer, self.number, now);
            let reached = port.device.now();
            if let Some(log) = &mut port.log {
                let outcome = match &result {
                    Ok(reply) if reply.data.is_empty() => "done".to_owned(),
                    Ok(reply) => format!("{} bytes", reply.data.len()),
                    Err(error) => error.to_string(),
                };
                let at = Duration::from_nanos(reached.max(now)).as_secs_f64();
                log.push(format!("{at:.6} {transfer}: {outcome}"));
            }
            (result, reached)
        });
        let Some((result, reached)) = done else { return Err(TransferError::Gone) };
        // Not before the world is let go: others may have their turn first.
        self.bus.clock.advance_to(reached);
        result
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.virtual_clock()
    }
}

#[cfg(test)]
mod tests;
