"use strict";
(() => {
  const NO_EVENT = -2;
  const data = document.getElementById("melodies");
  const melodies = data ? JSON.parse(data.textContent) : [];
  let audio = null;
  let current = null;

  // Start, length and pitch of every note, in steps: a note lasts until the next event that is not "no event".
  const notesOf = (events) => {
    const notes = [];
    events.forEach((event, step) => {
      if (event === NO_EVENT) return;
      const last = notes[notes.length - 1];
      if (last && last.end === null) last.end = step;
      if (event >= 0) notes.push({ start: step, end: null, pitch: event });
    });
    for (const note of notes) if (note.end === null) note.end = events.length;
    return notes;
  };

  const sound = (output, pitch, start, end) => {
    const oscillator = new OscillatorNode(audio, { type: "triangle", frequency: 440 * 2 ** ((pitch - 69) / 12) });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.25, start + 0.015);
    gain.gain.setTargetAtTime(0.12, start + 0.02, 0.25);
    gain.gain.setTargetAtTime(0, Math.max(end - 0.04, start + 0.03), 0.02);
    oscillator.connect(gain).connect(output);
    oscillator.start(start);
    oscillator.stop(end + 0.15);
  };

  const stop = () => {
    if (!current) return;
    cancelAnimationFrame(current.frame);
    current.output.gain.setTargetAtTime(0, audio.currentTime, 0.01);
    const finished = current.output;
    setTimeout(() => finished.disconnect(), 200);
    current.button.textContent = "Play";
    current.button.setAttribute("aria-pressed", "false");
    current.card.classList.remove("playing");
    current = null;
  };

  const play = async (button) => {
    audio = audio || new AudioContext();
    await audio.resume();
    const melody = melodies[Number(button.dataset.melody)];
    const output = new GainNode(audio, { gain: 1 });
    output.connect(audio.destination);
    const start = audio.currentTime + 0.06;
    for (const note of notesOf(melody.events)) {
      sound(output, note.pitch, start + note.start * melody.secondsPerStep, start + note.end * melody.secondsPerStep);
    }
    const card = button.closest(".card");
    const playhead = card.querySelector(".playhead");
    const width = card.querySelector(".roll").viewBox.baseVal.width;
    const duration = melody.events.length * melody.secondsPerStep;
    current = { button, card, output, frame: 0 };
    button.textContent = "Stop";
    button.setAttribute("aria-pressed", "true");
    card.classList.add("playing");
    const advance = () => {
      const share = (audio.currentTime - start) / duration;
      if (share >= 1) return stop();
      const x = String(Math.max(share, 0) * width);
      playhead.setAttribute("x1", x);
      playhead.setAttribute("x2", x);
      current.frame = requestAnimationFrame(advance);
    };
    advance();
  };

  for (const button of document.querySelectorAll(".play")) {
    button.disabled = !("AudioContext" in window);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const same = current && current.button === button;
      stop();
      if (!same) play(button);
    });
  }

  // What is folded away on the screen is printed.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
