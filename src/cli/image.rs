//! `recover image`.

use serde_json::json;

use super::args::{BuildArgs, CommonArgs, ImageCommand};
use super::{commands, read_image, write_new};
use crate::chip::{self, Chip, Identity, Image, Model, Recipe};
use crate::executor;
use crate::executor::commands::quoted;
use crate::failure::{Code, Failure};
use crate::files;
use crate::preflight::VirtualTwin;
use crate::rescue::Preflight;
use crate::rescue::choice::NamedImage;
use crate::rescue::outcome::sha256;
use crate::rescue::preflight::Twin;
use crate::ui;
use crate::wording::{counted, with_article};

/// Runs one of the image commands.
pub fn run(common: &CommonArgs, command: &ImageCommand) -> Result<u8, Failure> {
    match command {
        ImageCommand::Inspect { file, chip } => {
            inspect(common, &read_image(file)?, chip.as_deref())
        }
        ImageCommand::Check { file, chip } => check(common, &read_image(file)?, chip),
        ImageCommand::Build(values) => build(common, values),
    }
}

fn model(name: &str) -> Result<(&'static dyn Chip, Model), Failure> {
    chip::model(name).ok_or_else(|| {
        let known: Vec<_> = chip::families()
            .iter()
            .flat_map(|family| family.models())
            .map(|model| model.name)
            .collect();
        let what = format!("there is no chip named {name:?}; the chips are {}", known.join(", "));
        Failure::new(Code::R311, what, "--chip")
            .next("`recover image inspect FILE` tries all of them")
    })
}

/// Makes an image and writes it, once the chip's own reader takes it.
fn build(common: &CommonArgs, values: &BuildArgs) -> Result<u8, Failure> {
    let (chip, model) = model(&values.chip)?;
    let firmware = match &values.firmware {
        Some(path) => Some(read_image(path)?.bytes),
        None => None,
    };
    let recipe = Recipe {
        identity: Identity {
            ids: values.ids,
            bcd_device: values.revision,
            interface_class: None,
            manufacturer: values.manufacturer.clone(),
            product: values.product.clone(),
            serial: values.serial.clone(),
        },
        unique: executor::unique(),
        settings: values.settings.iter().copied().collect(),
        firmware,
    };
    let output = values.output.display().to_string();
    let refused = |error| Failure::from_image(&error, &output);
    let built = chip.build_image(model, &recipe).map_err(refused)?;
    let image = chip.read_image(model, &built.bytes).map_err(refused)?;
    if values.overwrite {
        files::overwrite(&values.output, &built.bytes).map_err(|error| {
            Failure::new(Code::R506, error.to_string(), output.clone())
                .next("name a writable file with --output")
        })?;
    } else {
        let otherwise = "name another file with --output, or add --overwrite";
        write_new(&values.output, &built.bytes, otherwise)?;
    }
    if common.json {
        let mut object = object(model, &image);
        if let Some(object) = object.as_object_mut() {
            object.insert("file".to_owned(), json!(output));
            object.insert("bytes".to_owned(), json!(built.bytes.len()));
            object.insert("sha256".to_owned(), json!(sha256(&built.bytes)));
            object.insert("notes".to_owned(), json!([image.notes.clone(), built.notes].concat()));
        }
        ui::print(&object.to_string());
    } else {
        let (length, hash) = (counted(built.bytes.len(), "byte"), sha256(&built.bytes));
        ui::print(&format!("{output}: written, {length}, SHA-256 {hash}"));
        ui::print(&describe(model, &image));
        for note in &built.notes {
            ui::print(&format!("note: {note}"));
        }
    }
    Ok(0)
}

fn inspect(common: &CommonArgs, file: &NamedImage, chip: Option<&str>) -> Result<u8, Failure> {
    let (length, hash) = (file.bytes.len(), sha256(&file.bytes));
    if common.json {
        ui::print(&json!({ "file": file.name, "bytes": length, "sha256": hash }).to_string());
    } else {
        let length = counted(length, "byte");
        ui::print(&format!("{}: {length}, SHA-256 {hash}", file.name));
    }
    let models = match chip {
        Some(name) => vec![model(name)?],
        None => chip::families()
            .iter()
            .flat_map(|chip| chip.models().iter().map(move |model| (*chip, *model)))
            .collect(),
    };
    let mut refusals = Vec::new();
    for (chip, model) in models {
        match chip.read_image(model, &file.bytes) {
            Ok(image) if common.json => ui::print(&object(model, &image).to_string()),
            Ok(image) => ui::print(&describe(model, &image)),
            Err(error) => refusals.push((model, error)),
        }
    }
    for (model, error) in &refusals {
        if common.json {
            ui::print(&json!({ "chip": model.name, "refused": error.to_string() }).to_string());
        } else {
            ui::print(&format!("not for {}: {error}", with_article(model.title)));
        }
    }
    Ok(0)
}

fn describe(model: Model, image: &Image) -> String {
    let mut lines = vec![format!("for {}:", with_article(model.title))];
    lines.extend(image.contents.iter().map(|line| format!("  {line}")));
    lines.push(match &image.identity {
        Some(identity) => format!("  descriptors found in it: {identity}"),
        None => "  no descriptors found in it".to_owned(),
    });
    lines.extend(image.notes.iter().map(|note| format!("  note: {note}")));
    lines.extend(
        image.assumptions.iter().map(|need| format!("  not verified on real hardware: {need}")),
    );
    lines.join("\n")
}

fn object(model: Model, image: &Image) -> serde_json::Value {
    json!({
        "chip": model.name,
        "contents": image.contents,
        "identity": image.identity,
        "notes": image.notes,
        "assumptions": image.assumptions,
    })
}

fn check(common: &CommonArgs, file: &NamedImage, chip: &str) -> Result<u8, Failure> {
    let (chip, model) = model(chip)?;
    let image = chip
        .read_image(model, &file.bytes)
        .map_err(|error| commands::of_file(&file.name).refused_image(&error, &file.name))?;
    let preflight = VirtualTwin.boot(model, &image);
    if common.json {
        let mut object = object(model, &image);
        if let Some(object) = object.as_object_mut() {
            object.insert("preflight".to_owned(), json!(preflight));
        }
        ui::print(&object.to_string());
    } else {
        ui::print(&describe(model, &image));
        match &preflight {
            Preflight::CameUp { identity } => {
                ui::print(&format!("pre-flight: starts as {identity}"));
            }
            Preflight::Inconclusive { why } => {
                ui::print(&format!("pre-flight: inconclusive: {why}"));
            }
            Preflight::Failed { .. } => {}
        }
    }
    match preflight {
        Preflight::CameUp { .. } | Preflight::Inconclusive { .. } => Ok(0),
        Preflight::Failed { why } => {
            Err(Failure::new(Code::R211, why, format!("image {}", file.name)).next(format!(
                "check with `recover image inspect {}` that the image is for this chip",
                quoted(&file.name)
            )))
        }
    }
}
