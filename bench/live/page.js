"use strict";
// Draws the events of /events. Every text is set as text, never as markup.
const FIGURES = ["plan_mw", "intent_mw", "meter_mw", "devices_mw", "target_mw", "price_usd_per_mwh",
  "earned_usd", "would_have_earned_usd", "regret_usd"];
const STATES = ["running", "off", "changing", "fault", "unknown"];
const LINES = { plan: "plan_mw", intent: "intent_mw", meter: "meter_mw", devices: "devices_mw" };
const MODES = {
  shadow: "Shadow. Nothing is commanded.", armed: "Armed. Units are commanded.",
  halted: "Halted. Nothing is commanded until a person resumes.", unknown: "The log does not say whether it is armed.",
};
const MOST = 240, LATE_S = 120;
let cycles = [], arrived = 0, drawing = false;

const at = (id) => document.getElementById(id);
const text = (id, words) => { if (at(id).textContent !== words) at(id).textContent = words; };
const number = (value, digits) => value.toLocaleString("en", { maximumFractionDigits: digits });
const stamp = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC";

function figure(id, value, digits) {
  const cell = at(id);
  text(id, value === null ? "not known" : number(value, digits));
  cell.classList.toggle("absent", value === null);
  cell.dataset.value = value === null ? "" : String(value);  // exactly as the log has it
}

function rows(units) {
  const fresh = units.map((unit) => {
    const row = document.createElement("tr");
    ["unit", "state", "level", "intent", "reason"].forEach((key) => {
      row.insertCell().textContent = unit[key] || "not known";
    });
    return row;
  });
  at("units").replaceChildren(...fresh);
}

function lines(id, words) {
  at(id).replaceChildren(...words.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
}

function chart() {
  const known = cycles.flatMap((each) => Object.values(LINES).map((key) => each[key])).filter((value) => value !== null);
  const top = Math.max(1e-9, ...known) * 1.05, low = Math.min(0, ...known);
  const first = cycles[0].at_s, span = Math.max(1, cycles[cycles.length - 1].at_s - first);
  const drawn = [];
  for (const [name, key] of Object.entries(LINES)) {
    let run = [];
    for (const each of [...cycles, { [key]: null }]) {  // a figure that is not known breaks the line
      if (each[key] === null) {
        if (run.length) drawn.push([name, run.length === 1 ? [run[0], run[0]] : run]);
        run = [];
      } else {
        run.push(`${(720 * (each.at_s - first) / span).toFixed(1)},${(220 * (top - each[key]) / (top - low)).toFixed(1)}`);
      }
    }
  }
  at("chart").replaceChildren(...drawn.map(([name, points]) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("class", name);
    line.setAttribute("points", points.join(" "));
    return line;
  }));
  const words = `${stamp(first)} to ${stamp(first + span)}, ${number(low, 3)} to ${number(top, 3)} MW`;
  text("chart-line", `The last ${cycles.length} cycles: ${words}.`);
  at("chart").setAttribute("aria-label", `Plan, intent, feeder meter and sum of devices over time, ${words}`);
}

function draw() {
  drawing = false;
  const last = cycles[cycles.length - 1];
  if (!last) return;
  text("site", last.site || "A site without a name");
  document.title = `${last.simulated ? "simulated " : ""}${last.mode} - ${last.site}`;
  at("simulated").hidden = !last.simulated;
  at("mode").dataset.mode = last.mode;
  text("mode", MODES[last.mode] + (last.mode_reason ? ` Reason: ${last.mode_reason}` : ""));
  for (const id of FIGURES) figure(id, last[id], id.endsWith("_usd") ? 2 : 4);
  for (const id of STATES) figure(id, last.states[id], 0);
  const listed = last.units.length < last.units_count ? `; the first ${last.units.length} are listed` : "";
  text("units-line", last.units_count ? `Not as intended: ${last.units_count}${listed}` : "Every unit is as intended");
  at("units-table").hidden = !last.units.length;
  rows(last.units);
  text("faults-line", last.faults_count ? `Inputs that do not deliver: ${last.faults_count}` : "Every input delivers.");
  lines("faults", last.faults);
  text("reasons-line", last.reasons.length ? "Reasons of the last decision:" : "All work that is worth its power runs.");
  lines("reasons", last.reasons);
  chart();
  age();
}

function soon() {
  arrived = Date.now();
  if (!drawing) { drawing = true; setTimeout(draw, 100); }  // of many events at once, the last one is drawn
}

let stream = null;
function age() {
  const silent = (Date.now() - arrived) / 1000, isOpen = stream && stream.readyState === EventSource.OPEN;
  const last = cycles[cycles.length - 1];
  const shown = last ? `Cycle of ${stamp(last.at_s)}.` : "No cycle yet.";
  const late = last && silent > LATE_S ? ` No new cycle for ${number(silent, 0)} s.` : "";
  text("line", isOpen ? shown + late : `${shown} The server does not answer; the figures are old.`);
  at("line").className = isOpen && !late ? "note" : "banner late";
}

function connect() {
  stream = new EventSource("/events");
  stream.addEventListener("history", (event) => { cycles = JSON.parse(event.data).slice(-MOST); soon(); });
  stream.addEventListener("cycle", (event) => { cycles = [...cycles, JSON.parse(event.data)].slice(-MOST); soon(); });
  stream.addEventListener("open", age);
  stream.addEventListener("error", () => {
    age();
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  });
}

connect();
setInterval(age, 5000);
