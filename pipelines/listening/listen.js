"use strict";
(() => {
  const { test, seconds, minimum, trials } = JSON.parse(document.getElementById("test").textContent);
  const part = (name) => document.getElementById(name);
  const form = part("form");
  const next = form.querySelector("[type=submit]");
  const buttons = [...document.querySelectorAll(".listen")];
  const bars = [...document.querySelectorAll(".heard")];
  const answers = [];
  const listener = [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let sounds = [];
  let started = 0;

  // Everybody hears the trials in an order of their own, so that no order speaks for a piece.
  const order = trials.map((_, index) => index);
  for (let last = order.length - 1; last > 0; last--) {
    const other = crypto.getRandomValues(new Uint32Array(1))[0] % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }

  // Seconds of a clip that were played, each counted once however often.
  const heard = (sound) => {
    let sum = 0;
    for (let range = 0; range < sound.played.length; range++) sum += sound.played.end(range) - sound.played.start(range);
    return sum;
  };
  const enough = (sound) => heard(sound) >= Math.min(minimum, sound.duration || seconds) - 0.05;
  const answered = () => ["choice", "confidence"].every((name) => form.elements[name].value);

  const show = (name) => {
    for (const section of ["intro", "trial", "end"]) part(section).hidden = section !== name;
    window.scrollTo(0, 0);
    part(name).querySelector("h1").focus();
  };

  const update = () => {
    sounds.forEach((sound, clip) => {
      bars[clip].value = heard(sound) / seconds;
      bars[clip].classList.toggle("enough", enough(sound));
      buttons[clip].firstChild.textContent = sound.paused ? "Play" : "Stop";
    });
    const open = sounds.every(enough);
    for (const group of form.querySelectorAll("fieldset")) group.disabled = !open;
    next.disabled = !open || !answered();
    const hint = !open ? `Hear ${sounds.length > 1 ? "both" : "it"} for ${minimum} seconds at least.`
      : !answered() ? "Now answer both questions." : "";
    if (part("hint").textContent !== hint) part("hint").textContent = hint;
  };

  const load = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const sound = new Audio(URL.createObjectURL(new Blob([bytes], { type: "audio/mpeg" })));
    for (const event of ["timeupdate", "play", "pause", "ended"]) sound.addEventListener(event, update);
    return sound;
  };

  const begin = () => {
    for (const sound of sounds) {
      sound.pause();
      URL.revokeObjectURL(sound.src);
    }
    form.reset();
    const number = answers.length;
    sounds = trials[order[number]].sounds.map(load);
    started = performance.now();
    part("place").textContent = `${sounds.length > 1 ? "Pair" : "Piece"} ${number + 1} of ${trials.length}`;
    part("done").value = number;
    update();
    show("trial");
  };

  const finish = () => {
    const lines = answers.map((answer) => JSON.stringify(answer)).join(",\n");
    const text = `{"format": "etude listening answers", "test": "${test}",\n"listener": "${listener}", "answers": [\n${lines}\n]}\n`;
    for (const sound of sounds) sound.pause();
    part("text").value = text;
    part("save").href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    part("save").download = `answers-${listener}.json`;
    window.removeEventListener("beforeunload", warn);
    show("end");
  };

  const warn = (event) => event.preventDefault();

  buttons.forEach((button, clip) => button.addEventListener("click", () => {
    const sound = sounds[clip];
    if (!sound.paused) return sound.pause();
    for (const other of sounds) other.pause();
    if (sound.ended || sound.currentTime >= seconds - 0.1) sound.currentTime = 0;
    sound.play();
  }));
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!sounds.every(enough) || !answered()) return;
    answers.push({
      trial: trials[order[answers.length]].id,
      choice: form.elements.choice.value,
      confidence: Number(form.elements.confidence.value),
      known: form.elements.known.checked,
      heard: sounds.map((sound) => Math.round(heard(sound) * 10) / 10),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    });
    if (answers.length < trials.length) begin(); else finish();
  });
  part("begin").addEventListener("click", () => {
    window.addEventListener("beforeunload", warn);
    begin();
  });
  part("copy").addEventListener("click", async () => {
    part("text").select();
    try {
      await navigator.clipboard.writeText(part("text").value);
      part("copied").textContent = "Copied.";
    } catch {
      part("copied").textContent = document.execCommand("copy") ? "Copied." : "The text is marked: copy it with Ctrl-C.";
    }
  });
})();
