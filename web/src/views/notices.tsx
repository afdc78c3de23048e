import type { http } from '@everflame/protocols';
import type { ComponentChildren } from 'preact';

/** Something failed: what, and what to do about it. */
export function ProblemNotice({ problem, onRetry }: { problem: http.Problem; onRetry?: (() => void) | undefined }) {
  return (
    <div class="notice is-problem" role="alert">
      <div>
        <strong>{problem.title}</strong>
        <p>{problem.detail}</p>
      </div>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Notice({ children }: { children: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      <div>{children}</div>
    </div>
  );
}

/**
 * A thin line under the toolbar while something loads; always in the page, so that nothing moves. What takes long can be
 * cancelled: the button comes after a moment (styles/controls.css).
 */
export function Progress({ active, onCancel }: { active: boolean; onCancel?: () => void }) {
  return (
    <div class="progress-row">
      <div
        class={`progress${active ? ' is-active' : ''}`}
        role="progressbar"
        aria-label="Loading"
        aria-hidden={!active}
      />
      {active && onCancel !== undefined && (
        <button type="button" class="button progress-cancel" onClick={onCancel}>
          Cancel
        </button>
      )}
    </div>
  );
}
