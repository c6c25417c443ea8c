// Replaces the content by a fresh fragment every five seconds, while the page is looked at.
"use strict";
(() => {
  const content = document.getElementById("content");
  const live = document.getElementById("live");
  const say = (text, lost) => {
    live.textContent = text;
    live.classList.toggle("lost", lost);
  };
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("fragment", { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new Error(String(answer.status));
      content.innerHTML = await answer.text();
      say("live", false);
    } catch {
      say("no contact to the server", true);
    }
  };
  setInterval(refresh, 5000);
  document.addEventListener("visibilitychange", refresh);
})();
