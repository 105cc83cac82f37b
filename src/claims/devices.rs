//! The devices that a relation may name.

use crate::diag::closest;

/// Devices that a tolerance may name.
const DEVICES: [&str; 2] = ["cpu", "cuda"];

/// The devices that some text may name, which begins behind `devices:`.
pub(crate) fn named_in(text: &str) -> Vec<String> {
    let end = text.find(['"', '\'', ')', ';', '\n']).unwrap_or(text.len());
    let names = text[..end].split(',').map(str::trim);
    names.filter(|name| DEVICES.contains(name)).map(str::to_owned).collect()
}

/// Names of devices after `devices:`, each once.
pub(super) fn all(names: &str) -> Result<Vec<String>, String> {
    let mut devices: Vec<String> = Vec::new();
    for name in names.split(',') {
        let name = known(name)?;
        if devices.iter().any(|known| known == name) {
            return Err(format!("the device `{name}` is named twice"));
        }
        devices.push(name.to_owned());
    }
    match devices.len() {
        1 => Err("one device is not to be compared with another; name both, as in `devices: cpu, \
                  cuda`, or let the cell need it: `//| needs: {device: cuda}`"
            .to_owned()),
        _ => Ok(devices),
    }
}

/// A device by its name.
pub(super) fn known(name: &str) -> Result<&str, String> {
    let name = name.trim();
    match DEVICES.contains(&name) {
        true => Ok(name),
        false => Err(match closest(name, DEVICES) {
            Some(best) => format!("`{name}` is no device; did you mean `{best}`?"),
            None => format!("`{name}` is no device; a data set stands apart, behind `;`"),
        }),
    }
}
