//! What went wrong, told so that its owner knows where the device stands and what to do.
//!
//! Every failure says four things: what happened, where, what state the device is in now, what to
//! do next. Each [`Code`] has a heading in docs/errors.md; a test holds the two together.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::chip::ImageError;
use crate::usb::{BusError, PortPath};

/// The state of the device when the program lets go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    /// Nothing was changed in it, not even its RAM.
    Untouched,
    /// Only its RAM was changed; without power it is what it was.
    RunningFromRam,
    /// Its memory holds old and new bytes and no valid signature: it starts in boot mode.
    PartWritten,
    /// Its memory holds the whole image, read back; not yet seen to start from it.
    Written,
    /// It starts from its memory with the identity that was promised.
    Restored,
    /// It left the bus and has not come back.
    #[serde(rename = "lost")]
    Disconnected,
}

impl fmt::Display for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "untouched",
            Self::RunningFromRam => {
                "its memory is unchanged; only its RAM was used, and power-off clears RAM"
            }
            Self::PartWritten => {
                "still recoverable: its memory is part old, part new, and it starts in boot mode"
            }
            Self::Written => "its memory holds the whole image; its start is not confirmed yet",
            Self::Restored => "restored",
            Self::Disconnected => "gone from the bus; its memory was not changed by this run",
        })
    }
}

macro_rules! codes {
    ($($code:ident $title:literal;)*) => {
        /// The code of a failure: `R107`. Its meaning and remedies are a heading in
        /// docs/errors.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each code's title is its documentation")]
        pub enum Code { $($code,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// The code as printed.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// What the code means, its heading in docs/errors.md.
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }
        }
    };
}

codes! {
    R101 "no device to rescue was found";
    R102 "the chip is not proven";
    R103 "no memory answers";
    R105 "the memory is smaller than the image";
    R106 "the memory is write protected";
    R107 "the memory did not keep what was written";
    R108 "the same byte fails every time";
    R109 "the memory stopped acknowledging";
    R110 "the device was unplugged midway";
    R111 "the device did not come back";
    R112 "the device came back with a different identity";
    R113 "the device stopped answering";
    R114 "the device still starts in boot mode";
    R115 "the memory cannot be read";
    R116 "the memory changed after the plan was made";
    R117 "no profile can be made from this device";
    R118 "the memory uses a different address width";
    R119 "a device is attached and does not answer";
    R201 "the image is empty";
    R202 "the image is one byte repeated";
    R203 "the image has no valid signature";
    R204 "the image is for another chip";
    R205 "the image is cut short";
    R206 "a record lies outside the chip's RAM";
    R207 "the image is too big";
    R208 "the image holds a record that is not allowed";
    R209 "the image is not the one the profile names";
    R210 "the image would start with a boot-mode USB ID";
    R211 "the image failed the pre-flight test";
    R212 "the image cannot be read";
    R213 "the image did not start from RAM";
    R214 "the image and the profile have different identities";
    R301 "more than one device may need a rescue";
    R302 "more than one profile fits";
    R303 "an image is needed";
    R304 "consent is needed";
    R305 "the memory is not proven blank or broken";
    R306 "there is no such profile";
    R307 "the profile is for another chip";
    R308 "the profile is for the simulator only";
    R309 "a profile has an error";
    R310 "the target identity is not known";
    R311 "the options do not fit together";
    R401 "no permission to open the device";
    R402 "another program holds the device";
    R403 "USB is not available on this computer";
    R404 "another recover process is using this port";
    R405 "the run was stopped";
    R406 "recover itself failed during a run";
    R407 "the device is in use";
    R501 "the backup cannot be saved";
    R502 "the journal cannot be written";
    R503 "there is no such backup";
    R504 "the backup is damaged";
    R505 "there is no unfinished rescue";
    R506 "a file cannot be read or written";
    R507 "the journal of an unfinished rescue cannot be read";
    R521 "the ledger cannot be read or written";
    R522 "a newer version of recover wrote the ledger";
    R523 "there is no such unit in the ledger";
    R524 "more than one unit matches";
    R601 "the bench file has an error";
    R602 "a relay board's serial device is missing";
    R603 "a relay board does not answer";
    R604 "no permission to open a serial device";
    R605 "a serial device cannot be used";
    R606 "the contact is not closed while the power is on";
    R701 "virtual enclosures cannot be plugged into this computer";
    R702 "no virtual enclosure is plugged in there";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A failure as its owner is told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its code.
    pub code: Code,
    /// What happened, a sentence without its full stop.
    pub what: String,
    /// Where: step, range, port, file.
    #[serde(rename = "where")]
    pub place: String,
    /// What state the device is in now.
    pub device: DeviceState,
    /// Commands to run or things to do with hands, the best first.
    pub next: Vec<String>,
}

impl Failure {
    /// A failure that left the device untouched.
    pub fn new(code: Code, what: impl Into<String>, place: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            place: place.into(),
            device: DeviceState::Untouched,
            next: Vec::new(),
        }
    }

    /// The same failure with something more to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    /// The same failure with the device in that state.
    #[must_use]
    pub fn leaving(mut self, device: DeviceState) -> Self {
        self.device = device;
        self
    }

    /// The program's exit code for it [design §5].
    pub fn exit_code(&self) -> u8 {
        match (self.device, self.code) {
            (DeviceState::PartWritten | DeviceState::Written, _) => 3,
            (_, Code::R301 | Code::R302 | Code::R303 | Code::R304 | Code::R310 | Code::R524) => 4,
            (_, Code::R306 | Code::R307 | Code::R308 | Code::R311 | Code::R601) => 2,
            _ => 1,
        }
    }

    /// A bus that refuses, as its user should hear it.
    pub fn from_bus(error: &BusError) -> Self {
        let place = |port: &PortPath| format!("port {port}");
        match error {
            BusError::Denied(port) => Self::new(Code::R401, error.to_string(), place(port))
                .next("install the udev rule: `recover udev-rules` prints it and the command to install it; then replug the enclosure")
                .next("or run the same command as root"),
            BusError::Busy(port) => Self::new(Code::R402, error.to_string(), place(port))
                .next("close the program that uses it (virtual machines and vendor tools claim whole USB devices), then run the same command"),
            BusError::InUse { port, uses } => uses
                .iter()
                .fold(Self::new(Code::R407, error.to_string(), place(port)), |failure, one| {
                    failure.next(one.end.clone())
                })
                .next("then run the same command; no option overrides this"),
            BusError::Left(port) => Self::new(Code::R110, error.to_string(), place(port))
                .next("plug the enclosure into the same port and run the same command"),
            BusError::Stopped(port) => Self::new(Code::R405, error.to_string(), place(port))
                .next("run the same command when you want to continue"),
            BusError::Unusable(_) => Self::new(Code::R403, error.to_string(), "this computer")
                .next("check that /dev/bus/usb exists and that this is not a container without USB"),
        }
    }

    /// An image that was refused.
    pub fn from_image(error: &ImageError, name: &str) -> Self {
        let code = match error {
            ImageError::Empty => Code::R201,
            ImageError::AllOneByte { .. } => Code::R202,
            ImageError::WrongSignature { .. } => Code::R203,
            ImageError::OtherChip { .. } | ImageError::OtherModel { .. } => Code::R204,
            ImageError::Truncated { .. } => Code::R205,
            ImageError::OutsideRam { .. } => Code::R206,
            ImageError::TooBig { .. } => Code::R207,
            ImageError::Unsuitable { .. } => Code::R208,
        };
        let failure = Self::new(code, error.to_string(), format!("image {name}"))
            .next("take the original file from the vendor's updater or from a backup");
        match error {
            ImageError::OtherModel { .. } => failure
                .next("to write it all the same, add --force and name the device with --port"),
            _ => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.what)?;
        writeln!(f, "  where:  {}", self.place)?;
        write!(f, "  device: {}", self.device)?;
        for (index, next) in self.next.iter().enumerate() {
            write!(f, "\n  {}   {next}", if index == 0 { "next:" } else { "     " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
