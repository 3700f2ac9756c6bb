"use strict";
(() => {
  const pass = document.getElementById("pass");
  const age = document.getElementById("age");
  const stale = document.getElementById("stale");
  const looked = Date.parse(pass.dateTime);
  const most = Number(stale.dataset.after) * 1000;
  const words = (seconds) =>
    seconds < 60 ? seconds + "s" :
    seconds < 3600 ? Math.floor(seconds / 60) + "m" :
    seconds < 86400 ? Math.floor(seconds / 3600) + "h " + Math.floor(seconds % 3600 / 60) + "m" :
    Math.floor(seconds / 86400) + "d " + Math.floor(seconds % 86400 / 3600) + "h";
  const show = () => {
    const past = Math.max(0, Date.now() - looked);
    age.textContent = ", " + words(Math.floor(past / 1000)) + " ago";
    stale.classList.toggle("on", past > most);
    stale.classList.toggle("off", past <= most);
  };
  show();
  setInterval(show, 1000);
})();
