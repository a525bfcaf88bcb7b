"use strict";
(() => {
  const pieces = JSON.parse(document.getElementById("pieces").textContent);
  let audio = null;
  let current = null;

  const sound = (output, pitch, start, end, loudness) => {
    const oscillator = new OscillatorNode(audio, { type: "triangle", frequency: 440 * 2 ** ((pitch - 69) / 12) });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.25 * loudness, start + 0.015);
    gain.gain.setTargetAtTime(0.12 * loudness, start + 0.02, 0.25);
    gain.gain.setTargetAtTime(0, Math.max(end - 0.04, start + 0.03), 0.02);
    oscillator.connect(gain).connect(output);
    oscillator.start(start);
    oscillator.stop(end + 0.15);
  };

  // Bass drum and toms are tones that fall; the others are noise, the higher and longer the more of a cymbal.
  const toms = [35, 36, 41, 43, 45, 47, 48, 50];
  const ringing = [46, 49, 51, 52, 53, 55, 57, 59];
  let noise = null;
  const drum = (output, pitch, start, loudness) => {
    const seconds = toms.includes(pitch) ? 0.25 : ringing.includes(pitch) ? 0.4 : 0.08;
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0.35 * loudness, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + seconds);
    gain.connect(output);
    let source;
    if (toms.includes(pitch)) {
      source = new OscillatorNode(audio, { frequency: 110 + 9 * (pitch - 35) });
      source.frequency.exponentialRampToValueAtTime(45 + 5 * (pitch - 35), start + seconds);
      source.connect(gain);
    } else {
      if (!noise) {
        noise = audio.createBuffer(1, audio.sampleRate / 2, audio.sampleRate);
        const samples = noise.getChannelData(0);
        for (let place = 0; place < samples.length; place += 1) samples[place] = 2 * Math.random() - 1;
      }
      source = new AudioBufferSourceNode(audio, { buffer: noise });
      const filter = new BiquadFilterNode(audio, { type: "highpass", frequency: pitch < 41 ? 900 : 6000 });
      source.connect(filter).connect(gain);
    }
    source.start(start);
    source.stop(start + seconds);
  };

  // How many notes sound at once at most: so many share the loudness of one.
  const voicesOf = (notes) => Math.max(1, ...notes.map(([onset]) =>
    notes.filter(([other, length]) => other <= onset && onset < other + length).length));

  const stop = () => {
    if (!current) return;
    cancelAnimationFrame(current.frame);
    current.output.gain.setTargetAtTime(0, audio.currentTime, 0.01);
    const finished = current.output;
    setTimeout(() => finished.disconnect(), 200);
    current.button.firstChild.textContent = "Play";
    current.card.classList.remove("playing");
    current = null;
  };

  const play = async (button) => {
    audio = audio || new AudioContext();
    await audio.resume();
    const { notes, numSteps, secondsPerStep } = pieces[Number(button.dataset.piece)];
    const output = new GainNode(audio, { gain: 1 });
    output.connect(audio.destination);
    const start = audio.currentTime + 0.06;
    const loudness = 1 / Math.sqrt(voicesOf(notes));
    for (const [onset, length, pitch, isDrum] of notes) {
      const from = start + onset * secondsPerStep;
      if (isDrum) drum(output, pitch, from, loudness);
      else sound(output, pitch, from, start + (onset + length) * secondsPerStep, loudness);
    }
    const card = button.closest(".card");
    const playhead = card.querySelector(".playhead");
    const width = card.querySelector(".roll").viewBox.baseVal.width;
    current = { button, card, output, frame: 0 };
    button.firstChild.textContent = "Stop";
    card.classList.add("playing");
    const advance = () => {
      const share = (audio.currentTime - start) / (numSteps * secondsPerStep);
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
    button.addEventListener("click", () => {
      const same = current && current.button === button;
      stop();
      if (!same) play(button);
    });
  }
})();
