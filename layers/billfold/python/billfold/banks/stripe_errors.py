"""What an error of Stripe's says: an answer about what was asked, or nothing that can be relied on.

Answers are about the request: nothing was made of it, nor ever will be. Everything else is silence (time-outs, faults, limits), a
matter of our own account or code (keys, modes, parameters), or passing (locks, states that another look tells): *unknown*.
Both tables name every class and code that the `stripe` package (16.1.0) knows; a test fails when a new one appears. A code that
neither names goes by its class.
"""

import stripe

from billfold.banks import reason

ANSWERS = (stripe.CardError, stripe.InvalidRequestError)
NO_ANSWERS = (
    # silence
    "APIError APIConnectionError RateLimitError SignatureVerificationError "
    # ours
    "AuthenticationError PermissionError IdempotencyError "
    # of OAuth
    "OAuthError InvalidClientError InvalidGrantError InvalidScopeError UnsupportedGrantTypeError UnsupportedResponseTypeError "
    # of the API's second version, which is not asked
    "AlreadyCanceledError BlockedByStripeError CannotProceedError CapabilityNotEnabledError ControlledByAlternateResourceError "
    "FeatureNotEnabledError FinancialAccountNotOpenError FxQuoteNeedsRefreshError InsufficientFundsError "
    "InvalidPaymentMethodError InvalidPayoutMethodError InvalidVaultedCredentialError NotCancelableError QuotaExceededError "
    "RecipientNotNotifiableError TemporarySessionExpiredError VerificationAttemptFailedError VerificationExpiredError "
    "VerificationNotInitiatedError"
)
_ANSWER_NOTHING = (
    # ours: our account, its keys and modes, our parameters, our balance
    "account_country_invalid_address account_error_country_change_requires_additional_steps account_information_mismatch "
    "account_invalid account_token_required_for_v2_account action_blocked alipay_upgrade_required "
    "anomalous_money_movement_request api_key_expired application_fees_not_allowed approval_required balance_insufficient "
    "balance_invalid_parameter bitcoin_upgrade_required capability_not_active charge_invalid_parameter livemode_mismatch missing "
    "no_account not_allowed_on_standard_account ownership_declaration_not_allowed parameter_invalid_empty "
    "parameter_invalid_integer parameter_invalid_string_blank parameter_invalid_string_empty parameter_missing parameter_unknown "
    "parameters_exclusive payment_intent_invalid_parameter payment_method_configuration_failures "
    "payment_method_invalid_parameter_testmode platform_account_required platform_api_key_expired "
    "progressive_onboarding_limit_exceeded request_blocked secret_key_required setup_intent_invalid_parameter "
    "storer_capability_missing storer_capability_not_active testmode_charges_only tls_version_unsupported transfers_not_allowed "
    "url_invalid "
    # passing: another ask or look tells
    "forwarding_api_retryable_upstream_error forwarding_api_upstream_connection_error forwarding_api_upstream_connection_timeout "
    "forwarding_api_upstream_error idempotency_key_in_use intent_invalid_state lock_timeout payment_intent_rate_limit_exceeded "
    "payment_intent_unexpected_state payment_method_unexpected_state rate_limit setup_intent_unexpected_state"
)
CODES_THAT_ANSWER = (
    # of cards, charges and refunds
    "amount_too_large amount_too_small authentication_failure authentication_required card_decline_rate_limit_exceeded "
    "card_declined cardholder_phone_number_required charge_already_captured charge_already_refunded charge_disputed "
    "charge_exceeds_source_limit charge_exceeds_transaction_limit charge_expired_for_capture charge_not_refundable "
    "country_code_invalid country_unsupported customer_max_payment_methods debit_not_authorized email_invalid expired_card "
    "expired_payment_method incorrect_address incorrect_cvc incorrect_number incorrect_postal_code incorrect_zip "
    "india_recurring_payment_mandate_canceled insufficient_funds intent_verification_method_missing invalid_card_type "
    "invalid_characters invalid_charge_amount invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number "
    "invalid_source_usage payment_intent_action_required payment_intent_authentication_failure "
    "payment_intent_incompatible_payment_method payment_intent_mandate_invalid payment_intent_payment_attempt_expired "
    "payment_intent_payment_attempt_failed payment_method_billing_details_address_missing payment_method_currency_mismatch "
    "payment_method_customer_decline payment_method_invalid_parameter payment_method_not_available "
    "payment_method_provider_decline payment_method_provider_timeout payment_method_restricted payment_method_unactivated "
    "payment_method_unsupported_type postal_code_invalid processing_error refer_to_customer refund_disputed_payment "
    "resource_already_exists resource_missing setup_attempt_failed setup_intent_authentication_failure "
    "setup_intent_mandate_invalid setup_intent_mobile_wallet_unsupported setup_intent_setup_attempt_expired state_unsupported "
    "three_d_secure_authentication_not_supported three_d_secure_authentication_upstream_error token_already_used "
    "token_card_network_invalid token_in_use "
    # of what Billfold never asks for
    "account_closed account_number_invalid acss_debit_session_incomplete bank_account_bad_routing_numbers bank_account_declined "
    "bank_account_exists bank_account_restricted bank_account_unusable bank_account_unverified bank_account_verification_failed "
    "billing_invalid_mandate capture_charge_authorization_expired capture_unauthorized_payment clearing_code_unsupported "
    "coupon_expired customer_max_subscriptions customer_session_expired customer_tax_location_invalid "
    "dispute_evidence_page_limit_exceeded failed_tax_calculation financial_account_balance_does_not_support_currency "
    "financial_account_capability_not_enabled financial_account_capability_restricted financial_connections_account_inactive "
    "financial_connections_account_pending_account_numbers financial_connections_account_unavailable_account_numbers "
    "financial_connections_consent_locale_invalid financial_connections_consent_locale_unsupported "
    "financial_connections_no_successful_transaction_refresh forwarding_api_inactive forwarding_api_invalid_parameter "
    "instant_payouts_config_disabled instant_payouts_currency_disabled instant_payouts_limit_exceeded "
    "instant_payouts_unsupported invalid_canceled_subscription_fields invalid_mandate_reference_prefix_format "
    "invalid_tax_location invoice_no_customer_line_items invoice_no_payment_method_types invoice_no_subscription_line_items "
    "invoice_not_editable invoice_on_behalf_of_not_editable invoice_payment_intent_requires_action invoice_upcoming_none "
    "out_of_inventory payment_evaluation_on_api_version_not_supported payment_intent_konbini_rejected_confirmation_number "
    "payment_method_bank_account_already_verified payment_method_bank_account_blocked payment_method_microdeposit_failed "
    "payment_method_microdeposit_processing_error payment_method_microdeposit_verification_amounts_invalid "
    "payment_method_microdeposit_verification_amounts_mismatch payment_method_microdeposit_verification_attempts_exceeded "
    "payment_method_microdeposit_verification_descriptor_code_mismatch payment_method_microdeposit_verification_timeout "
    "payout_reconciliation_not_ready payouts_limit_exceeded payouts_not_allowed product_inactive "
    "return_intent_already_processed routing_number_invalid sepa_unsupported_account "
    "service_period_coupon_with_metered_tiered_item_unsupported shipping_address_invalid shipping_calculation_failed "
    "siret_invalid sku_inactive smart_disputes_not_available status_transition_invalid stripe_tax_inactive "
    "subscription_update_trial_after_billing_cycle_anchor tax_id_invalid tax_id_prohibited taxes_calculation_failed "
    "terminal_location_country_unsupported terminal_reader_busy terminal_reader_hardware_fault "
    "terminal_reader_invalid_location_for_activation terminal_reader_invalid_location_for_payment terminal_reader_offline "
    "terminal_reader_timeout transfer_source_balance_parameters_mismatch"
)


CODES_THAT_ANSWER_NOTHING = frozenset(_ANSWER_NOTHING.split())


def answered(error: stripe.StripeError) -> str | None:
    """Why Stripe says no, by its code and never its text; None when this error answers nothing."""
    declined = isinstance(error, stripe.CardError)
    if not isinstance(error, ANSWERS) or (not declined and error.code in CODES_THAT_ANSWER_NOTHING):
        return None
    detail = getattr(error.error, "decline_code", None) if error.error else None
    return reason(detail or error.code or ("declined" if declined else "invalid_request"))
