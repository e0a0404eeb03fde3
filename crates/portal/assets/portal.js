// What a page cannot do without a script. Everything works without it.
(() => {
  "use strict";

  // The viewer's time zone is told in a cookie, and the next page says deadlines in program time and in the viewer's.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const told = document.cookie.split("; ").find((cookie) => cookie.startsWith("tenure-zone="));
  if (zone && told !== "tenure-zone=" + zone) {
    document.cookie = "tenure-zone=" + zone + "; Path=/; Max-Age=31536000; SameSite=Lax";
  }

  const find = (css, root = document) => root.querySelector(css);
  const all = (css, root = document) => [...root.querySelectorAll(css)];

  // Single keys can be turned off, and stay so on this browser.
  const OFF = "tenure-keys-off";
  const areOff = () => localStorage.getItem(OFF) === "1";

  const rows = () => all("main tbody tr, main article.ask").filter((row) => find("a, button, summary", row));
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));
  const move = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = current();
    const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
    const target = find("th a", list[next]) || find("a.button, button, a, summary", list[next]);
    target.focus();
    list[next].scrollIntoView({ block: "nearest" });
  };
  const go = (key) => {
    const link = find(`[data-go="${key}"]`);
    if (link) location.assign(link.href);
    return !!link;
  };
  const open = (id) => {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
    return dialog;
  };

  // Where Ctrl K leads: every entry of the navigation, and every link in the first column of what is shown.
  const palette = () => {
    const dialog = open("palette");
    if (!dialog) return;
    const input = find("input", dialog);
    const list = find("ul", dialog);
    const links = all(".side li a, .top nav a, main th a, main .lead a").filter((link) => link.getAttribute("href"));
    const seen = new Set();
    const entries = [];
    for (const link of links) {
      const label = link.innerText.replace(/\s+/g, " ").trim();
      if (!label || seen.has(label + link.href)) continue;
      seen.add(label + link.href);
      const row = link.closest("tr");
      const about = row ? (find("th span", row)?.innerText || "") : "";
      entries.push({ label, about, href: link.href });
    }
    const show = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = entries.filter((entry) => words.every((word) => (entry.label + " " + entry.about).toLowerCase().includes(word)));
      list.replaceChildren(...fits.slice(0, 12).map((entry) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = entry.href;
        link.textContent = entry.label;
        if (entry.about) {
          const about = document.createElement("small");
          about.textContent = " " + entry.about;
          link.append(about);
        }
        item.append(link);
        return item;
      }));
      find("p", dialog).hidden = fits.length > 0;
    };
    input.value = "";
    input.oninput = show;
    input.onkeydown = (event) => {
      const first = find("a", list);
      if (event.key === "Enter" && first) location.assign(first.href);
      if (event.key === "ArrowDown" && first) first.focus();
    };
    show();
    input.focus();
  };

  // A form swaps the part of the page in which it stands; the focus stays on the button that sent it.
  let sent = "";
  document.addEventListener("submit", (event) => { sent = event.submitter?.id || ""; });
  document.addEventListener("htmx:after:settle", () => {
    if (sent && document.activeElement === document.body) document.getElementById(sent)?.focus();
    sent = "";
  });

  let waits = false;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette();
      return;
    }
    const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || areOff()) return;
    if (waits) {
      waits = false;
      if (go(event.key)) event.preventDefault();
      return;
    }
    const box = () => find("input[type=checkbox]", rows()[current()] || document.createElement("i"));
    switch (event.key) {
      case "j": move(1); break;
      case "k": move(-1); break;
      case "x": box()?.click(); break;
      case "v": find("button.seen", rows()[current()] || document.createElement("i"))?.click(); break;
      case "s": find(".bar .primary, main .primary")?.focus(); break;
      case "g": waits = true; setTimeout(() => { waits = false; }, 1500); break;
      case "?": open("keys"); break;
      default: return;
    }
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open=palette]")) palette();
    if (event.target.closest("[data-open=keys]")) open("keys");
    // Ticks every box of a name, or none when all are ticked.
    const every = event.target.closest("[data-all]")?.dataset.all;
    if (every) {
      const boxes = all(`input[type=checkbox][name="${every}"]`);
      const on = boxes.some((box) => !box.checked);
      boxes.forEach((box) => { box.checked = on; });
    }
    // A click beside a dialog closes it.
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
  document.addEventListener("DOMContentLoaded", () => {
    const off = find("#keys input");
    if (!off) return;
    off.checked = !areOff();
    off.onchange = () => localStorage.setItem(OFF, off.checked ? "0" : "1");
    all("[data-script]").forEach((each) => { each.hidden = false; });
  });
})();
